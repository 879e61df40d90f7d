"""A low-pass filter that is steady at rest and quick in motion."""

import math

import numpy as np
from numpy.typing import NDArray

_SPEED_CUTOFF = 1.0  # Hz, as the authors advise


class OneEuro:
    """The 1 Euro filter (Casiez, Roussel and Vogel, CHI 2012) with one cut-off for a whole array.

    The paper filters each number on its own. Here all numbers share the cut-off, found from the
    length of their common speed: a shape is not sheared, and probabilities keep their sum.

    Args:
        cutoff: Hz at rest; lower is steadier.
        beta: Hz added for each unit of speed; higher follows motion more closely.
    """

    def __init__(self, cutoff: float, beta: float) -> None:
        self.cutoff, self.beta = cutoff, beta
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None

    def __call__(self, raw: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """The filtered value.

        Args:
            raw: float64, any shape, the same at each call.
            seconds: Since the last call, above 0.
        """
        if self._value is None or self._speed is None:
            self._value, self._speed = raw.astype(np.float64), np.zeros(raw.shape)
            return self._value
        speed = (raw - self._value) / seconds
        share = _share(_SPEED_CUTOFF, seconds)
        self._speed = share * speed + (1 - share) * self._speed
        share = _share(self.cutoff + self.beta * float(np.linalg.norm(self._speed)), seconds)
        self._value = share * raw + (1 - share) * self._value
        return self._value

    def reset(self) -> None:
        """Forget the past; the next value is taken as it comes."""
        self._value = self._speed = None


def _share(cutoff: float, seconds: float) -> float:
    """Weight of the newest value in an exponential filter with this cut-off in Hz."""
    turn = 2 * math.pi * cutoff * seconds
    return turn / (turn + 1)
