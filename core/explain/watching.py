"""See how far an explanation is while it is computed, and be able to stop it on the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@contextmanager
def watched(on_passes: Callable[[int], None]) -> Iterator[None]:
    """Call `on_passes` at every convolution that this thread computes within the block.

    The network is not touched, so other threads may use it meanwhile.  Whatever `on_passes` raises
    ends the computation.

    Args:
        on_passes: Takes the number of pictures that have entered the network so far.
    """
    with _Watch(on_passes):
        yield


class _Watch(TorchFunctionMode):
    """Counts the pictures given to the convolution that was called first, the network's first."""

    def __init__(self, on_passes: Callable[[int], None]) -> None:
        super().__init__()
        self._on_passes = on_passes
        self._passes = 0
        self._first: tuple[int, ...] = ()  # shape of the first convolution's weights

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401 - torch's own signature
        types: Any,  # noqa: ANN401
        args: Any = (),  # noqa: ANN401
        kwargs: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        if func is torch.conv2d:
            rows, weights = args[0], args[1]
            self._first = self._first or tuple(weights.shape)
            if tuple(weights.shape) == self._first:
                self._passes += len(rows)
            self._on_passes(self._passes)
        return func(*args, **(kwargs or {}))
