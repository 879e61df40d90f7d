"""A global view put together by hand: two expressions, one of them never answered wrongly."""

from typing import Any

REGIONS = ("mouth", "background")
SHAPE = [[0.2 + 0.6 * number / 67, 128.5 / 256] for number in range(68)]


def made_group(label: str, answered: str, *, n: int = 40, peak: float = 2.0) -> dict[str, Any]:
    """Faces whose mean map is even but for one corner."""
    figures = {
        "area": 0.25,
        "share": [0.5, 0.4, 0.6],
        "lift": [2.0, 1.6, 2.4],
        "drop": [0.3, 0.25, 0.35],
    }
    return {
        "label": label,
        "answered": answered,
        "n": n,
        "blank": 0,
        "map": [[peak, 1.0], [1.0, 0.0]] if n else None,
        "regions": {
            name: figures if n > 1 else dict.fromkeys(("area", "share", "lift", "drop"))
            for name in REGIONS
        },
    }


def made_view(**facts: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the view
    """The view of two classes."""
    return {
        "checkpoint": "one",
        "split": "test",
        "method": "layer_cam",
        "layer": "blocks.block2.pool",
        "signed": False,
        "faces_per_label": 100,
        "n": 82,
        "without_landmarks": 3,
        "labels": ["happiness", "fear"],
        "regions": list(REGIONS),
        "shape": SHAPE,
        "groups": [
            made_group("happiness", "right"),
            made_group("happiness", "wrong", n=0),
            made_group("fear", "right", peak=4.0),
            made_group("fear", "wrong", n=2, peak=9.0),
        ],
        **facts,
    }
