"""Spends less on searching and explaining when frames take longer than they may."""

BUDGET = 1 / 30  # seconds a frame: the pace of a camera
_WEIGHT = 0.1  # of the newest frame in the running mean
_MOST = 4  # times the wanted interval; a newcomer is then seen after 20 frames


class Pace:
    """Decides at which frames to search for faces.

    A frame that takes too long never makes the next one wait: whoever feeds the pipeline drops
    frames. This class makes the frames cheaper meanwhile, step by step, and goes back when there
    is time again.

    Args:
        budget: Seconds a frame may take on average; 0 for as long as it takes (video files).
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self._budget = budget
        self._mean = 0.0
        self._stretch = 1.0
        self._since = 0

    @property
    def stretch(self) -> float:
        """How many times rarer than wanted the costly steps are now, 1 or more."""
        return self._stretch

    def due(self, wanted: int) -> bool:
        """Whether to search at this frame; call it once a frame.

        Args:
            wanted: Frames from one search to the next when there is time.
        """
        self._since += 1
        return self._since >= wanted * self._stretch

    def searched(self) -> None:
        """Note that this frame was searched."""
        self._since = 0

    def spent(self, seconds: float) -> None:
        """Take in how long the frame took."""
        self._mean = seconds if not self._mean else self._mean + _WEIGHT * (seconds - self._mean)
        if not self._budget:
            return
        if self._mean > self._budget:
            self._stretch = min(self._stretch * 1.1, _MOST)
        elif self._mean < 0.8 * self._budget:
            self._stretch = max(self._stretch / 1.1, 1.0)
