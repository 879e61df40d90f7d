"""Why a network gives its answer: maps of a class, and what the parts of a face contribute.

The list of methods is here at once; whatever needs torch is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from core.explain.methods import EXPLAINERS, SLOW_PASSES, MethodInfo
from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.explain.action_units import (
        ActionUnit,
        Agreement,
        textbook_sources,
    )
    from core.explain.batch import MapMaker, class_maps, enlarged
    from core.explain.expected_cam import (
        fast_methods,
        keep_reference,
        load_explained,
        load_reference,
        measure_reference,
        reference_faces,
        save_reference,
        with_maps,
    )
    from core.explain.explainer import contrast_map, explain, layer_of, signed_grad_cam
    from core.explain.layers import (
        Reference,
        carried_reference,
        explainable_layers,
        give_reference,
        layer_outputs,
        model_layers,
    )
    from core.explain.occlusion import blurred, filled, smoothed
    from core.explain.recommended import (
        FAITHFULNESS_FILE,
        is_readable,
        misses_mark,
        recommended_layers,
        recommended_method,
        recommended_of,
        stored_faithfulness,
    )
    from core.explain.region_occlusion import (
        RegionOcclusion,
        RegionShapley,
        occlude_regions,
        region_shapley,
    )
    from core.explain.region_reports import LEAST_DROP, RegionReport, in_words, region_report
    from core.explain.regions import (
        RegionEvidence,
        cell_shares,
        evidence_shares,
        fit_masks,
        region_evidence,
    )
    from core.explain.trace import Layer, frozen_view, traced, watched

__getattr__ = lazy_names(
    __name__,
    {
        "action_units": (
            "ActionUnit",
            "Agreement",
            "textbook_sources",
        ),
        "batch": ("MapMaker", "class_maps", "enlarged"),
        "expected_cam": (
            "fast_methods",
            "keep_reference",
            "load_explained",
            "load_reference",
            "measure_reference",
            "reference_faces",
            "save_reference",
            "with_maps",
        ),
        "explainer": (
            "contrast_map",
            "explain",
            "layer_of",
            "signed_grad_cam",
        ),
        "layers": (
            "Reference",
            "carried_reference",
            "explainable_layers",
            "give_reference",
            "layer_outputs",
            "model_layers",
        ),
        "occlusion": ("blurred", "filled", "smoothed"),
        "recommended": (
            "FAITHFULNESS_FILE",
            "is_readable",
            "misses_mark",
            "recommended_method",
            "recommended_of",
            "stored_faithfulness",
            "recommended_layers",
        ),
        "region_occlusion": (
            "RegionOcclusion",
            "RegionShapley",
            "occlude_regions",
            "region_shapley",
        ),
        "region_reports": ("LEAST_DROP", "RegionReport", "in_words", "region_report"),
        "regions": (
            "RegionEvidence",
            "cell_shares",
            "evidence_shares",
            "fit_masks",
            "region_evidence",
        ),
        "trace": ("Layer", "frozen_view", "traced", "watched"),
    },
)

__all__ = [
    "EXPLAINERS",
    "FAITHFULNESS_FILE",
    "LEAST_DROP",
    "SLOW_PASSES",
    "ActionUnit",
    "Agreement",
    "Layer",
    "MapMaker",
    "MethodInfo",
    "Reference",
    "RegionEvidence",
    "RegionOcclusion",
    "RegionReport",
    "RegionShapley",
    "blurred",
    "carried_reference",
    "cell_shares",
    "class_maps",
    "contrast_map",
    "enlarged",
    "evidence_shares",
    "explain",
    "explainable_layers",
    "fast_methods",
    "filled",
    "fit_masks",
    "frozen_view",
    "give_reference",
    "in_words",
    "is_readable",
    "keep_reference",
    "layer_of",
    "layer_outputs",
    "load_explained",
    "load_reference",
    "measure_reference",
    "misses_mark",
    "model_layers",
    "occlude_regions",
    "recommended_layers",
    "recommended_method",
    "recommended_of",
    "reference_faces",
    "region_evidence",
    "region_report",
    "region_shapley",
    "save_reference",
    "signed_grad_cam",
    "smoothed",
    "stored_faithfulness",
    "textbook_sources",
    "traced",
    "watched",
    "with_maps",
]
