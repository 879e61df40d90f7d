"""Probabilities of many pictures, as fast as this machine gives them without changing answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.explain import frozen_view, traced

ROWS = 32  # pictures a pass; twice as many leave the cache and cost a sixth more each
LARGEST_SHIFT = 0.02  # of a probability, mean over faces, that the fast arithmetic may cost
LEAST_AGREEMENT = 0.9  # share of faces with the same answer; ties and near ties may fall otherwise

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
    return Scorer(_scorer(frozen_view(model), torch.float32), "float32")


def light_scorer(model: nn.Module, sample: Tensor, dtype: torch.dtype = torch.bfloat16) -> Scorer:
    """Probabilities in fewer digits, with batch norms folded into convolutions."""
    view = _light_view(model, sample, dtype)
    return Scorer(_scorer(view, dtype), str(dtype).removeprefix("torch."))


def fastest_scorer(model: nn.Module, sample: Tensor) -> Scorer:
    """bfloat16 where it is faster here and agrees, else float32.

    Args:
        model: In eval mode.
        sample: float32 (n, C, S, S), some of the faces to be scored.

    Raises:
        ExplainError: The model is in training mode.
    """
    exact, fast = exact_scorer(model), light_scorer(model, sample)
    first = [scorer.score(sample) for scorer in (exact, fast)]  # also warms both up
    agrees = float((first[0] - first[1]).abs().mean()) <= LARGEST_SHIFT
    same = float((first[0].argmax(1) == first[1].argmax(1)).float().mean()) >= LEAST_AGREEMENT
    if agrees and same and _seconds(fast.score, sample) < _seconds(exact.score, sample):
        return fast
    return exact


def _scorer(view: nn.Module, dtype: torch.dtype) -> Score:
    def score(batch: Tensor) -> Tensor:
        with torch.inference_mode():
            parts = [
                view(part.to(dtype, memory_format=torch.channels_last)).float().softmax(dim=1)
                for part in torch.split(batch, ROWS)
            ]
        # Outside inference mode a copy is an ordinary tensor again.
        return torch.cat(parts).clone()

    return score


def _light_view(model: nn.Module, sample: Tensor, dtype: torch.dtype) -> nn.Module:
    """The network in another precision, batch norms folded into the convolutions before them."""
    view = frozen_view(model)
    for conv_name, norm_name in traced(model, sample).normed:
        conv, norm = view.get_submodule(conv_name), view.get_submodule(norm_name)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and _fold(conv, norm):
            parent, _, child = norm_name.rpartition(".")
            setattr(view.get_submodule(parent), child, nn.Identity().eval())
    for module in view.modules():
        for values in (module._parameters, module._buffers):
            for name, value in values.items():
                if value is not None and value.is_floating_point():
                    values[name] = _light(value, dtype)  # type: ignore[assignment]
    return view


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> bool:
    """Put the norm's slope and shift into the convolution of a view, if it has fixed ones."""
    mean, variance = norm._buffers["running_mean"], norm._buffers["running_var"]
    if mean is None or variance is None or not norm.affine:
        return False
    slope = norm.weight / torch.sqrt(variance + norm.eps)
    before = torch.zeros_like(norm.bias) if conv.bias is None else conv.bias
    # Views hold plain tensors, which torch's own setter would refuse.
    weights: dict[str, Tensor | None] = conv._parameters  # type: ignore[assignment]
    weights["weight"] = conv.weight * slope[:, None, None, None]
    weights["bias"] = norm.bias + slope * (before - mean)
    return True


def _light(value: Tensor, dtype: torch.dtype) -> Tensor:
    small = value.to(dtype)
    return small.contiguous(memory_format=torch.channels_last) if small.ndim == 4 else small


def _seconds(score: Score, sample: Tensor) -> float:
    started = time.perf_counter()
    score(sample)
    return time.perf_counter() - started
