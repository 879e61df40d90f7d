"""Integrated gradients, with more points where the gradient jumps."""

import torch
from torch import Tensor, nn

from core.explain.saliency import by_rows, input_gradient
from core.explain.trace import ROWS, frozen_view

FIRST = 32  # even intervals of the path
MOST = 1024  # gradients a face and class; the shipped networks need 100 to 300
SPLIT = 16  # intervals a round, the worst
RESIDUAL = 1e-3  # in logits, the error of the sum to be reached


def integrated_gradients(
    model: nn.Module,
    batch: Tensor,
    targets: Tensor,
    _: str,
    *,
    first: int = FIRST,
    most: int = MOST,
) -> Tensor:
    """Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365, Eq. 1).

    From an even mid-grey picture (zero after normalising); signed, summed over the channels.  The
    sum of a map is the logit minus that of the grey picture within 1e-3.

    The integral is a sum over intervals of the path, each with the gradient at its middle.  By how
    much an interval misses its part of the sum is known from the logits at its ends; the worst are
    cut in three until the whole sum is right.  Even steps need many more points, since gradients
    of ReLU networks jump.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S).
        targets: int64 (N, T).
        first: Intervals at the start.
        most: Gradients after which no interval is cut any more.

    Returns:
        float32 (N, T, S, S).
    """
    view = frozen_view(model)

    def integrate(rows: Tensor, wanted: Tensor) -> Tensor:
        maps = []
        for face, target in zip(rows, wanted, strict=True):
            path = _Path(view, face, target, first)
            while abs(path.error) > RESIDUAL and path.gradients < most:
                path.refine(min(SPLIT, (most - path.gradients + 1) // 2))
            maps.append(path.map())
        return torch.stack(maps)

    return by_rows(batch, targets, integrate)


class _Path:
    """The intervals of one face's path from grey, for one class.

    Args:
        view: The network.
        face: float32 (C, S, S).
        target: int64 scalar, the class.
        count: Even intervals to begin with.
    """

    def __init__(self, view: nn.Module, face: Tensor, target: Tensor, count: int) -> None:
        self.view, self.face, self.target = view, face, target
        edges = torch.linspace(0, 1, count + 1, dtype=torch.float64)
        logits = self._logits(edges)
        self.starts, self.widths = edges[:-1], edges.diff()
        self.rises = logits.diff()  # of the logit, which the interval's part should sum to
        self.parts = self._parts(self.starts + self.widths / 2)  # (n, S, S), for a path of length 1
        self.gradients = count

    @property
    def errors(self) -> Tensor:
        """By how much each interval misses its part of the sum, float64 (n,)."""
        return self.parts.sum(dim=(1, 2), dtype=torch.float64) * self.widths - self.rises

    @property
    def error(self) -> float:
        """By how much the whole map misses its sum."""
        return float(self.errors.sum())

    def refine(self, count: int) -> None:
        """Cut the worst intervals in three; the middle third keeps its gradient."""
        misses = self.errors.abs()
        worst = misses.argsort(descending=True)[:count]
        worst = worst[misses[worst] > RESIDUAL / len(misses)]  # the others do no harm together
        starts, thirds = self.starts[worst], self.widths[worst] / 3
        cuts = torch.cat([starts, starts + thirds, starts + 2 * thirds, starts + 3 * thirds])
        rises = self._logits(cuts).reshape(4, -1).diff(dim=0)  # (3, n)
        outer = self._parts(torch.cat([starts + thirds / 2, starts + 2.5 * thirds]))
        left, right = outer.chunk(2)
        kept = torch.ones(len(self.starts), dtype=torch.bool)
        kept[worst] = False
        self.parts = torch.cat([self.parts[kept], left, self.parts[worst], right])
        self.starts = torch.cat([self.starts[kept], starts, starts + thirds, starts + 2 * thirds])
        self.widths = torch.cat([self.widths[kept], thirds, thirds, thirds])
        self.rises = torch.cat([self.rises[kept], rises.flatten()])
        self.gradients += len(outer)

    def map(self) -> Tensor:
        """The attributions, float32 (S, S)."""
        return torch.einsum("n,nij->ij", self.widths.to(self.parts), self.parts)

    def _points(self, shares: Tensor) -> list[Tensor]:
        """Pictures (n, C, S, S) at these shares of the way, a pass at a time."""
        parts = torch.split(shares.to(self.face), ROWS)
        return [part[:, None, None, None] * self.face for part in parts]

    def _logits(self, shares: Tensor) -> Tensor:
        with torch.no_grad():
            found = [self.view(rows)[:, self.target] for rows in self._points(shares)]
        return torch.cat(found).double().cpu()

    def _parts(self, shares: Tensor) -> Tensor:
        found = []
        for rows in self._points(shares):
            wanted = self.target.expand(len(rows))
            found.append((input_gradient(self.view, rows, wanted) * self.face).sum(dim=1))
        return torch.cat(found)
