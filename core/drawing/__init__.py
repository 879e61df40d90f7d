"""Evidence, faces and words as pixels: colours, overlays, annotated photos and frames, PNG.

Knows no network.  Parts load when first used.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.drawing.annotation import SHOWN, UNCLEAR, Style, annotate_frame, colour_of
    from core.drawing.colour_maps import (
        COLOUR_MAPS,
        NO_EVIDENCE,
        ColourMap,
        colour_bar,
        colour_table,
        default_colours,
    )
    from core.drawing.overlays import heat_image, overlay, paste_overlay
    from core.drawing.png import png_bytes, quick_png

__getattr__ = lazy_names(
    __name__,
    {
        "annotation": ("SHOWN", "UNCLEAR", "Style", "annotate_frame", "colour_of"),
        "colour_maps": (
            "COLOUR_MAPS",
            "NO_EVIDENCE",
            "ColourMap",
            "colour_bar",
            "colour_table",
            "default_colours",
        ),
        "overlays": ("heat_image", "overlay", "paste_overlay"),
        "png": ("png_bytes", "quick_png"),
    },
)

__all__ = [
    "COLOUR_MAPS",
    "NO_EVIDENCE",
    "SHOWN",
    "UNCLEAR",
    "ColourMap",
    "Style",
    "annotate_frame",
    "colour_bar",
    "colour_of",
    "colour_table",
    "default_colours",
    "heat_image",
    "overlay",
    "paste_overlay",
    "png_bytes",
    "quick_png",
]
