"""Evidence, faces and words as pixels: colours, overlays, annotated photos and frames.

Knows no network.  Parts load when first used.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.drawing.annotation import (
        SHOWN,
        Style,
        annotate_frame,
        annotate_picture,
        common_scale,
        draw_points,
        resized,
    )
    from core.drawing.colour_maps import (
        COLOURS_IN_WORDS,
        NO_EVIDENCE,
        ONLY_AGAINST,
        ColourMap,
        colour_table,
        default_colours,
    )
    from core.drawing.outlines import LEAST_SEEN
    from core.drawing.overlays import OPACITY, heat_image, overlay
    from core.drawing.panels import UNCLEAR, colour_of, name_of

__getattr__ = lazy_names(
    __name__,
    {
        "annotation": (
            "SHOWN",
            "Style",
            "annotate_frame",
            "annotate_picture",
            "common_scale",
            "draw_points",
            "resized",
        ),
        "colour_maps": (
            "COLOURS_IN_WORDS",
            "NO_EVIDENCE",
            "ONLY_AGAINST",
            "ColourMap",
            "colour_table",
            "default_colours",
        ),
        "outlines": ("LEAST_SEEN",),
        "overlays": ("OPACITY", "heat_image", "overlay"),
        "panels": ("UNCLEAR", "colour_of", "name_of"),
    },
)

__all__ = [
    "COLOURS_IN_WORDS",
    "LEAST_SEEN",
    "NO_EVIDENCE",
    "ONLY_AGAINST",
    "OPACITY",
    "SHOWN",
    "UNCLEAR",
    "ColourMap",
    "Style",
    "annotate_frame",
    "annotate_picture",
    "colour_of",
    "colour_table",
    "common_scale",
    "default_colours",
    "draw_points",
    "heat_image",
    "name_of",
    "overlay",
    "resized",
]
