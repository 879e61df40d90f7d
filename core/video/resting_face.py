"""A personal baseline: the answer to a face at rest, taken away from later answers."""

import numpy as np
from numpy.typing import NDArray

SECONDS = 3.0  # of resting face; long enough to average the noise out, short enough to hold still


class RestingFace:
    """Mean logits of one face over a few seconds, and the correction made from them.

    The correction shifts the logits so that this face at rest scores all classes alike. It makes
    answers relative to the person: they can no longer be compared with those of others, nor with
    the accuracy measured without it.

    Args:
        seconds: How long to collect.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._wanted = seconds
        self._collected = 0.0
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    @property
    def ready(self) -> bool:
        """Whether enough was collected for the correction to act."""
        return self._collected >= self._wanted

    @property
    def progress(self) -> float:
        """Collected share of the wanted time, 0 to 1."""
        return min(self._collected / self._wanted, 1.0) if self._wanted > 0 else 1.0

    def apply(self, logits: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """Collect while not ready, correct afterwards.

        Args:
            logits: float64 (K,).
            seconds: Since the last frame of this face.

        Returns:
            float64 (K,): the logits as given while collecting, else corrected.
        """
        if not self.ready:
            self._sum = logits.copy() if self._sum is None else self._sum + logits
            self._count += 1
            self._collected += seconds
            return logits
        if self._sum is None:
            return logits
        mean = self._sum / self._count
        corrected: NDArray[np.float64] = logits - (mean - mean.mean())
        return corrected
