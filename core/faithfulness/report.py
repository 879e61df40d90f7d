"""The report on all methods, and the choice of their layers."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.evaluation import Estimate, estimate
from core.explain import (
    EXPLAINERS,
    SLOW_PASSES,
    MapMaker,
    MethodInfo,
    give_reference,
    layer_of,
    measure_reference,
    model_layers,
)
from core.faithfulness.insertion_deletion import (
    centre_blob,
    curve_ends,
    curves,
    pixel_ranks,
    random_maps,
    sanity,
    verdict,
)
from core.faithfulness.method_figures import (
    SEED,
    MethodFigures,
    SampleSet,
    Sizes,
    measure_method,
    sample_set,
)
from core.faithfulness.planted_cue import planted_cue
from core.faithfulness.randomisation import mean_or_none, randomised
from core.faithfulness.scorer import Scorer, fastest_scorer
from core.faithfulness.table import CONTROL_TITLES
from core.types import FINE_CELLS

INNER = 3  # points of a curve between its ends: enough to order layers
# Behind these a cell holds what was found there; sums before a ReLU hold both signs of it.
_KINDS = {"ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Hardswish", "MaxPool2d", "AvgPool2d"}
SAMPLE = 32  # faces on which the arithmetic is chosen
PLANTED = 48  # faces with a mark
OTHER_FACE_METHOD = "grad_cam"  # whose map of another face is a control of all methods
# (measured so far, to be measured, what comes next)
Progress = Callable[[int, int, str], None]


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


def faithfulness_report(
    model: nn.Module,
    batch: Tensor,
    *,
    methods: Sequence[str] | None = None,
    choosing: Tensor | None = None,
    reference: Tensor | None = None,
    mark: int | None = None,
    sizes: Sizes | None = None,
    on_progress: Progress = lambda done, total, name: None,
) -> dict[str, Any]:
    """Measure every method that applies, for the class the network answers.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), at least two faces, in an order that means nothing: some
            measurements take the first ones only.
        methods: Registry names; None for all.
        choosing: float32 (M, C, S, S), other faces, on which the layer of the fine methods is
            chosen by its gap; None takes each method's own choice for such a network.
        reference: float32 (R, C, S, S), training faces, on which networks with random weights get
            the reference that `model` carries; None leaves out methods that need one.
        mark: Side in pixels of the mark of `planted_cue`; None for its own choice.
        sizes: How many faces each measurement takes.
        on_progress: Called before each method.

    Returns:
        `n`, `precision`, `seconds`, `methods`: name -> figures, `controls`: name -> gap and
        interval, `layer_choice`: on how many faces and {method: {layer: gap}}, `planted`: what
        `planted_cue` found, of a small network, by quick methods, `refused`: name -> why the method
        does not apply.

    Raises:
        ConfigError: No such method.
        ExplainError: Fewer than two faces, or the model is in training mode.
    """
    if len(batch) < 2:
        raise ExplainError(
            f"Found {len(batch)} face(s); another face's map is a control, so at least two are "
            "needed. Choose more faces."
        )
    started = time.perf_counter()
    names = list(EXPLAINERS) if methods is None else list(methods)
    infos = [EXPLAINERS[name] for name in names]
    scorer = fastest_scorer(model, batch[:SAMPLE])
    on_progress(0, len(infos), "choosing layers")
    gaps = {} if choosing is None else layer_gaps(model, choosing, scorer, names)
    layers, refused = _layers(model, batch[:1], infos, gaps)
    given = _sample_set(model, batch, scorer, layers, sizes or Sizes(), reference)
    control_gaps = control_gaps_of(given)
    figures: dict[str, MethodFigures] = {}
    for number, info in enumerate(infos):
        on_progress(number, len(infos), info.title)
        try:
            if info.name in layers:
                figures[info.name] = measure_method(given, info.name)
        except ExplainError as error:
            refused[info.name] = str(error)
    on_progress(len(infos), len(infos), "")
    if OTHER_FACE_METHOD in figures:
        control_gaps["other_face"] = figures[OTHER_FACE_METHOD].other
    planted = {} if reference is None else _planted(reference, batch, list(figures), mark)
    return {
        "n": len(batch),
        "precision": given.scorer.precision,
        "seconds": round(time.perf_counter() - started, 1),
        "methods": {name: _method_json(found, control_gaps) for name, found in figures.items()},
        "controls": {
            name: _gap_json(estimate(control_gaps[name], SEED))
            for name in CONTROL_TITLES
            if name in control_gaps
        },
        "layer_choice": {"n": 0 if choosing is None else len(choosing), "gaps": gaps},
        "planted": planted,
        "refused": refused,
    }


def _planted(
    reference: Tensor, batch: Tensor, methods: Sequence[str], mark: int | None
) -> dict[str, Any]:
    """The test with a mark as JSON; `refused` says why there is none."""
    quick = [name for name in methods if EXPLAINERS[name].passes < SLOW_PASSES]
    try:
        found = planted_cue(reference, batch[:PLANTED], quick, mark=mark)
    except ExplainError as error:
        return {"refused": str(error)}
    return {
        "n": min(len(batch), PLANTED),
        "mark": found.mark,
        "area": found.area,
        "accuracy": found.accuracy,
        "shares": {
            name: {"share": one.mean, "ci": [one.low, one.high]}
            for name, one in ((key, estimate(value, SEED)) for key, value in found.shares.items())
        },
    }


def _layers(
    model: nn.Module,
    sample: Tensor,
    infos: Sequence[MethodInfo],
    gaps: Mapping[str, Mapping[str, float]],
) -> tuple[dict[str, str], dict[str, str]]:
    """The layer of each method, and why others do not apply."""
    layers: dict[str, str] = {}
    refused: dict[str, str] = {}
    for info in infos:
        tried = gaps.get(info.name) or {}
        best = max(tried, key=lambda layer: tried[layer], default=None)
        try:
            layers[info.name] = layer_of(model, sample, info, best)
        except ExplainError as error:
            refused[info.name] = str(error)
    return layers, refused


def _sample_set(
    model: nn.Module,
    batch: Tensor,
    scorer: Scorer,
    layers: Mapping[str, str],
    sizes: Sizes,
    reference: Tensor | None,
) -> SampleSet:
    generator = torch.Generator().manual_seed(SEED)
    networks = list(randomised(model, batch[:1], generator))
    if reference is not None and "expected_cam" in layers:
        for _, network in networks:
            found = measure_reference(
                network, reference[: sizes.references], layers["expected_cam"]
            )
            give_reference(network, found)
    return sample_set(model, batch, scorer, networks, layers, sizes)


def control_gaps_of(given: SampleSet) -> dict[str, NDArray[np.float64]]:
    """Insertion minus deletion of the maps that know nothing, by face."""
    count, side = len(given.batch), given.batch.shape[-1]
    chance = random_maps(count, torch.Generator().manual_seed(SEED + 1))
    return {
        "random": given.curves(chance).gap,
        "centre": given.curves(centre_blob(side).expand(count, -1, -1)).gap,
    }


def _method_json(
    found: MethodFigures, control_gaps: Mapping[str, NDArray[np.float64]]
) -> dict[str, Any]:
    gap = found.curves.gap
    differences = {
        "random": estimate(gap - control_gaps["random"][: len(gap)], SEED),
        "centre": estimate(gap - control_gaps["centre"][: len(gap)], SEED),
        "other_face": estimate(gap[: len(found.other)] - found.other, SEED),
    }
    overall = estimate(gap, SEED)
    return {
        "layer": found.layer,
        "n": len(gap),
        "insertion": float(found.curves.insertion.mean()),
        "deletion": float(found.curves.deletion.mean()),
        **_gap_json(overall),
        "over_controls": {name: _gap_json(value) for name, value in differences.items()},
        "average_drop": float(found.masked.drop.mean()),
        "increase": float(found.masked.rises.mean()),
        "road": _gap_json(estimate(found.road, SEED)),
        "blank": float(found.blank.mean()),
        "legible": mean_or_none(found.legibility.likeness),
        "places": float(found.legibility.places.mean()),
        "randomisation": found.randomisation,
        "sanity": sanity(found.randomisation),
        "stability": found.stability,
        "curves": {
            "fractions": found.curves.fractions.tolist(),
            "inserted": found.curves.inserted.mean(axis=0).tolist(),
            "deleted": found.curves.deleted.mean(axis=0).tolist(),
        },
        "verdict": verdict(overall, differences),
    }


def _gap_json(value: Estimate) -> dict[str, Any]:
    return {"gap": value.mean, "ci": [value.low, value.high]}
