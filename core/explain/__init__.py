"""Why a network gives its answer: maps, their drawing, and whether they can be trusted.

The list of methods is here at once; whatever needs torch is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from core.explain.methods import EXPLAINERS, SLOW_PASSES, MethodInfo
from core.lazy import late_names

if TYPE_CHECKING:
    from core.explain.action_units import (
        ActionUnit,
        Agreement,
        agreement,
        textbook_pattern,
        textbook_sources,
    )
    from core.explain.closed_form import ClosedGradCam, has_closed_form
    from core.explain.contrast import contrast_map
    from core.explain.explainer import explain, layer_of
    from core.explain.faithfulness.making import class_maps
    from core.explain.faithfulness.measuring import Sizes
    from core.explain.faithfulness.report import faithfulness_report
    from core.explain.faithfulness.single import FaceTest, check_face
    from core.explain.layers import (
        explainable_layers,
        feature_maps,
        layer_outputs,
        model_layers,
    )
    from core.explain.region_occlusion import (
        HiddenRegions,
        RegionGame,
        hide_regions,
        region_game,
    )
    from core.explain.region_reports import RegionReport, region_report
    from core.explain.regions import (
        LEAST_CELLS,
        RegionEvidence,
        cell_shares,
        fit_masks,
        region_evidence,
    )
    from core.explain.trace import Layer

__getattr__ = late_names(
    __name__,
    {
        "action_units": (
            "ActionUnit",
            "Agreement",
            "agreement",
            "textbook_pattern",
            "textbook_sources",
        ),
        "closed_form": ("ClosedGradCam", "has_closed_form"),
        "contrast": ("contrast_map",),
        "explainer": ("explain", "layer_of"),
        "faithfulness.making": ("class_maps",),
        "faithfulness.measuring": ("Sizes",),
        "faithfulness.report": ("faithfulness_report",),
        "faithfulness.single": ("FaceTest", "check_face"),
        "layers": ("explainable_layers", "feature_maps", "layer_outputs", "model_layers"),
        "region_occlusion": ("HiddenRegions", "RegionGame", "hide_regions", "region_game"),
        "region_reports": ("RegionReport", "region_report"),
        "regions": ("LEAST_CELLS", "RegionEvidence", "cell_shares", "fit_masks", "region_evidence"),
        "trace": ("Layer",),
    },
)

__all__ = [
    "EXPLAINERS",
    "LEAST_CELLS",
    "SLOW_PASSES",
    "ActionUnit",
    "Agreement",
    "ClosedGradCam",
    "FaceTest",
    "HiddenRegions",
    "Layer",
    "MethodInfo",
    "RegionEvidence",
    "RegionGame",
    "RegionReport",
    "Sizes",
    "agreement",
    "cell_shares",
    "check_face",
    "class_maps",
    "contrast_map",
    "explain",
    "explainable_layers",
    "faithfulness_report",
    "feature_maps",
    "fit_masks",
    "has_closed_form",
    "hide_regions",
    "layer_of",
    "layer_outputs",
    "model_layers",
    "region_evidence",
    "region_game",
    "region_report",
    "textbook_pattern",
    "textbook_sources",
]
