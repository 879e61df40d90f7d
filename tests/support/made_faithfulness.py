"""A faithfulness report put together by hand."""

from typing import Any


def made_entry(gap: float, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 - figures and words
    """A method that beats its controls and passes, unless `facts` say otherwise."""
    return {
        "layer": "blocks.block2.pool",
        "n": 300,
        "insertion": 0.5 + gap / 2,
        "deletion": 0.5 - gap / 2,
        "gap": gap,
        "ci": [round(gap - 0.05, 3), round(gap + 0.05, 3)],
        "over_controls": {
            "random": {"gap": 0.3, "ci": [0.25, 0.35]},
            "centre": {"gap": 0.12, "ci": [0.08, 0.16]},
            "other_face": {"gap": 0.25, "ci": [0.2, 0.3]},
        },
        "average_drop": 0.1,
        "increase": 0.3,
        "road": {"gap": 0.2, "ci": [0.1, 0.3]},
        "blank": 0.0,
        "legible": 0.95,
        "places": 2.0,
        "randomisation": {"head": 0.4, "all": None},
        "sanity": "passes",
        "stability": {"flip": 0.9, "shift": 0.8, "noise": None},
        "verdict": "beats its controls",
        **facts,
    }


def made_report(**facts: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Three methods, of which one beats its controls and passes."""
    low = {"verdict": "does not beat its controls", "layer": "conv", "blank": 0.31}
    return {
        "checkpoint": "one",
        "split": "test",
        "n": 300,
        "seconds": 120.0,
        "precision": "bfloat16",
        "methods": {
            "grad_cam": made_entry(0.1, **low),
            "hires_cam": made_entry(0.3),
            "layer_cam": made_entry(0.25, sanity="partly"),
        },
        "controls": {
            "random": {"gap": 0.0, "ci": [-0.02, 0.02]},
            "centre": {"gap": 0.15, "ci": [0.13, 0.17]},
            "other_face": {"gap": 0.05, "ci": [0.03, 0.07]},
        },
        "layer_choice": {"n": 48, "gaps": {"hires_cam": {"blocks.block2.pool": 0.3}}},
        "refused": {"cam": "CAM needs one linear layer."},
        **facts,
    }
