"""Why this class and not that: the map of the difference between two logits."""

import numpy as np
from numpy.typing import NDArray

from core.errors import ExplainError
from core.explain.methods import EXPLAINERS
from core.types import Explanation


def contrast_map(explanation: Explanation, label: str, other: str) -> NDArray[np.float32]:
    """What speaks for one class rather than another.

    The maps of signed methods are linear in the logit explained, so the difference of two of them
    is the map of the difference of the logits.

    Args:
        explanation: Of a signed method.
        label: The class spoken for, positive.
        other: The class spoken against, negative.

    Returns:
        float32 (h, w).

    Raises:
        ExplainError: The method is not signed: its maps leave out what speaks against a class.
    """
    if not explanation.signed:
        title = EXPLAINERS[explanation.method].title
        raise ExplainError(
            f"{title} keeps only what speaks for an expression, so the difference of two of its "
            "maps is not what decides between them. Choose a signed method, for example HiResCAM."
        )
    difference: NDArray[np.float32] = explanation.map_of(label) - explanation.map_of(other)
    return difference
