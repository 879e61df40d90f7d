"""From a network's logits to probabilities."""

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis (paper, Eq. 1).

    Args:
        logits: float64 (..., K), finite; large ones do not overflow.

    Returns:
        float64 of the same shape, 0 to 1, each row of sum 1.
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
