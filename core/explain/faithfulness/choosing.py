"""Which layer the fine methods explain, chosen on faces that no figure is reported of."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.explain.faithfulness.curves import curve_ends, curves
from core.explain.faithfulness.making import MapMaker
from core.explain.faithfulness.ranking import pixel_ranks
from core.explain.faithfulness.scoring import Scorer
from core.explain.layers import FINE_CELLS, model_layers
from core.explain.methods import EXPLAINERS

INNER = 3  # points of a curve between its ends: enough to order layers
SEED = 20240229
# Behind these a cell holds what was found there; sums before a ReLU hold both signs of it.
_KINDS = {"ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Hardswish", "MaxPool2d", "AvgPool2d"}


def candidate_layers(model: nn.Module, sample: Tensor) -> list[str]:
    """Layers worth trying: of each fineness, the first and the last activation or pooling.

    A side counts from 16 cells, where brow and eye lie apart, to half the input's.

    Args:
        model: In eval mode.
        sample: float32 (N, C, S, S).
    """
    by_side: dict[int, list[str]] = {}
    for layer in model_layers(model, sample):
        if layer.is_explainable and layer.kind in _KINDS:
            by_side.setdefault(min(layer.shape[1:]), []).append(layer.name)
    fitting = [
        names for side, names in by_side.items() if FINE_CELLS <= side <= sample.shape[-1] // 2
    ]
    return [name for names in fitting for name in dict.fromkeys((names[0], names[-1]))]


def layer_gaps(
    model: nn.Module,
    batch: Tensor,
    scorer: Scorer,
    methods: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Mean insertion minus deletion of each method at each candidate layer.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), faces that take no part in the report.
        scorer: Scores changed faces.
        methods: Registry names; those that do not explain a fine layer are left out.

    Returns:
        {method: {layer: gap}}.
    """
    fine = [
        name
        for name in methods
        if EXPLAINERS[name].default_layer == "fine" and EXPLAINERS[name].class_discriminative
    ]
    batch = batch.contiguous(memory_format=torch.channels_last)
    targets = scorer.score(batch).argmax(dim=1)
    ends = curve_ends(scorer.score, batch, targets)
    gaps: dict[str, dict[str, float]] = {name: {} for name in fine}
    for layer in candidate_layers(model, batch[:1]) if fine else ():
        maker = MapMaker(dict.fromkeys(fine, layer))
        for name in fine:
            maps = maker.maps("choice", name, model, batch, targets)
            ranks = pixel_ranks(maps, batch.shape[-1], torch.Generator().manual_seed(SEED))
            found = curves(scorer.score, batch, targets, ranks, ends, INNER)
            gaps[name][layer] = float(found.gap.mean())
    return gaps
