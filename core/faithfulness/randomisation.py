"""Does a map change with the weights (Adebayo et al. 2018), and stay with a changed face?"""

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn
from torch.nn import functional

from core.explain import enlarged, frozen_view, traced

SINGLE_STAGES = 5  # last layers made random one after the other; then all of them
ALL = "all"
SHIFT_SHARE = 1 / 16  # of the side; 4 px of 64
NOISE_SHARE = 0.05  # of the face's own range of values


def randomised(
    model: nn.Module, sample: Tensor, generator: torch.Generator
) -> Iterator[tuple[str, nn.Module]]:
    """Networks with ever more random weights (Adebayo et al. 2018, arXiv 1810.03292, section 3).

    From the output backwards, each stage draws one more layer anew, as before training, together
    with the batch norms behind it; the last draws every layer.  The network itself stays as it is.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S).
        generator: Source of the new weights.

    Yields:
        The name of the layer the randomness now reaches back to, and the network.
    """
    order = [layer.name for layer in traced(model, sample).layers if layer.is_leaf]
    weighted = [
        name for name in order if isinstance(model.get_submodule(name), nn.Conv2d | nn.Linear)
    ]
    stages = list(reversed(weighted))[:SINGLE_STAGES]
    view = model
    done: set[str] = set()
    for stage in [*stages, ALL]:
        start = 0 if stage == ALL else order.index(stage)
        view = frozen_view(view)
        for name in order[start:]:
            if name not in done:
                _draw_anew(view.get_submodule(name), generator)
                done.add(name)
        if stage == ALL:
            _draw_rest(view, model, generator)
        yield stage, view


def _draw_anew(module: nn.Module, generator: torch.Generator) -> None:
    """Replace the tensors of one module of a view; torch's own initial distributions."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        weight = torch.empty_like(module.weight)
        nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)
        _put(module, "weight", weight)
        if module.bias is not None:
            bound = 1 / math.sqrt(weight[0].numel())
            bias = torch.empty_like(module.bias).uniform_(-bound, bound, generator=generator)
            _put(module, "bias", bias)
    elif isinstance(module, nn.BatchNorm2d):
        for name, value in (("weight", 1.0), ("bias", 0.0)):
            _put(module, name, torch.full_like(getattr(module, name), value))
        for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
            module._buffers[name] = torch.full_like(getattr(module, name), value)


def _draw_rest(view: nn.Module, model: nn.Module, generator: torch.Generator) -> None:
    """Draw anew what is still the network's own: attention, tokens, places and other norms."""
    for place, module in view.named_modules():
        own = model.get_submodule(place)
        for name, value in list(module._parameters.items()):
            if value is None or not value.is_floating_point():
                continue
            if value.data_ptr() != own._parameters[name].data_ptr():  # type: ignore[union-attr]
                continue  # drawn before
            if value.ndim < 2:  # a norm's scale, a bias
                _put(module, name, torch.full_like(value, 1.0 if name == "weight" else 0.0))
            else:
                bound = 1 / math.sqrt(value[0].numel())
                drawn = torch.empty_like(value).uniform_(-bound, bound, generator=generator)
                _put(module, name, drawn)


def _put(module: nn.Module, name: str, values: Tensor) -> None:
    # Views hold plain tensors, which torch's own setter would refuse.
    module._parameters[name] = values  # type: ignore[assignment]


def spearman(first: Tensor, second: Tensor) -> NDArray[np.float64]:
    """Spearman's rank correlation of each pair of maps.

    Args:
        first: float32 (N, h, w).
        second: float32 (N, h, w).

    Returns:
        float64 (N,), -1 to 1; NaN where a map is constant, since it has no order.
    """
    ranks = [
        rankdata(maps.reshape(len(maps), -1).numpy(), axis=1).astype(np.float64)
        for maps in (first, second)
    ]
    left, right = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((left**2).sum(axis=1) * (right**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[np.float64] = np.where(
            spread > 0, (left * right).sum(axis=1) / spread, np.nan
        )
    return found


def mean_or_none(values: NDArray[np.float64]) -> float | None:
    """Mean of the numbers among the values; None where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def changed_faces(batch: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """The faces mirrored ("flip"), moved right and down ("shift") and with noise ("noise").

    Args:
        batch: float32 (N, C, S, S).
        generator: Source of the noise.
    """
    side = batch.shape[-1]
    step = _step(side)
    moved = functional.pad(batch, (step, 0, step, 0), mode="replicate")[..., :side, :side]
    reach = batch.amax(dim=(1, 2, 3), keepdim=True) - batch.amin(dim=(1, 2, 3), keepdim=True)
    plane = torch.randn((len(batch), 1, side, side), generator=generator, dtype=batch.dtype)
    noisy = batch + NOISE_SHARE * reach * plane
    return {"flip": batch.flip(-1), "shift": moved, "noise": noisy}


def stability(
    maps: Tensor, explain: Callable[[str, Tensor], Tensor], changed: Mapping[str, Tensor]
) -> dict[str, float | None]:
    """Mean Spearman correlation of the map with that of a changed face, put back into place.

    Args:
        maps: float32 (N, h, w), of the faces as they are.
        explain: Maps (N, h, w) for the same classes, of a change's name and its faces.
        changed: From `changed_faces`.

    Returns:
        By change ("flip", "shift", "noise"), -1 to 1, 1 is stable; None where every map is blank.
    """
    side = changed["flip"].shape[-1]
    step = _step(side)
    original = enlarged(maps, side)
    mirrored, shifted, noisy = (
        enlarged(explain(name, changed[name]), side) for name in ("flip", "shift", "noise")
    )
    kept = original[..., :-step, :-step]
    return {
        "flip": mean_or_none(spearman(original, mirrored.flip(-1))),
        "shift": mean_or_none(spearman(kept, shifted[..., step:, step:])),
        "noise": mean_or_none(spearman(original, noisy)),
    }


def _step(side: int) -> int:
    return max(round(side * SHIFT_SHARE), 1)
