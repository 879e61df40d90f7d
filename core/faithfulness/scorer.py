"""Probabilities of many pictures, as fast as this machine gives them without changing answers."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

import onnxruntime
import torch
from torch import Tensor, nn

from core.explain import frozen_view, traced
from core.inference import write_onnx

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


def onnx_scorer(model: nn.Module, sample: Tensor) -> Scorer:
    """Probabilities in float32 by ONNX Runtime, a third faster than torch on CPUs without bfloat16.

    Raises:
        RuntimeError: The network holds an operation that cannot be exported.
    """
    file = BytesIO()
    write_onnx(frozen_view(model), sample[:2], file, "faces", ["logits"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(
        file.getvalue(), options, providers=["CPUExecutionProvider"]
    )

    def score(batch: Tensor) -> Tensor:
        parts = [
            torch.from_numpy(session.run(None, {"faces": part.numpy(force=True)})[0])
            for part in torch.split(batch.contiguous(), ROWS)
        ]
        return torch.cat(parts).softmax(dim=1)

    return Scorer(score, "float32")


def fastest_scorer(model: nn.Module, sample: Tensor) -> Scorer:
    """The fastest here of float32, bfloat16 and ONNX Runtime, if it agrees with the first.

    Args:
        model: In eval mode.
        sample: float32 (n, C, S, S), some of the faces to be scored.

    Raises:
        ExplainError: The model is in training mode.
    """
    exact = exact_scorer(model)
    others = [light_scorer(model, sample)]
    with suppress(RuntimeError):
        others.append(onnx_scorer(model, sample))
    answers = exact.score(sample)  # also warms it up
    agreeing = [other for other in others if _agree(answers, other.score(sample))]
    return min([exact, *agreeing], key=lambda scorer: _seconds(scorer.score, sample))


def _agree(exact: Tensor, fast: Tensor) -> bool:
    shift = float((exact - fast).abs().mean())
    same = float((exact.argmax(1) == fast.argmax(1)).float().mean())
    return shift <= LARGEST_SHIFT and same >= LEAST_AGREEMENT


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
