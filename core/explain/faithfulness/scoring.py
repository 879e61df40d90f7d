"""Probabilities of many pictures, as fast as this machine gives them without changing answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain.frozen import frozen_view

ROWS = 64  # pictures a pass
LARGEST_SHIFT = 0.02  # of a probability, mean over faces, that the fast arithmetic may cost

# float32 (N, C, S, S) -> probabilities float32 (N, K)
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Scorer:
    """A way to score and what it is called.

    Attributes:
        score: The function.
        precision: "float32" or "bfloat16".
    """

    score: Score
    precision: str


def exact_scorer(model: nn.Module) -> Scorer:
    """Probabilities in float32."""
    return Scorer(_scorer(model, half=False), "float32")


def fastest_scorer(model: nn.Module, sample: Tensor) -> Scorer:
    """bfloat16 where it is faster here and agrees, else float32.

    Args:
        model: In eval mode.
        sample: float32 (n, C, S, S), some of the faces to be scored.

    Raises:
        ExplainError: The model is in training mode.
    """
    exact, fast = exact_scorer(model), Scorer(_scorer(model, half=True), "bfloat16")
    first = [scorer.score(sample) for scorer in (exact, fast)]  # also warms both up
    agrees = float((first[0] - first[1]).abs().mean()) <= LARGEST_SHIFT
    same = torch.equal(first[0].argmax(1), first[1].argmax(1))
    if agrees and same and _seconds(fast.score, sample) < _seconds(exact.score, sample):
        return fast
    return exact


def _scorer(model: nn.Module, *, half: bool) -> Score:
    view = frozen_view(model)

    def score(batch: Tensor) -> Tensor:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            parts = [
                view(part.contiguous(memory_format=torch.channels_last)).float().softmax(dim=1)
                for part in torch.split(batch, ROWS)
            ]
        # Outside inference mode a copy is an ordinary tensor again.
        return torch.cat(parts).clone()

    return score


def _seconds(score: Score, sample: Tensor) -> float:
    started = time.perf_counter()
    score(sample)
    return time.perf_counter() - started
