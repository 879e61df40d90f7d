"""Where a run's evidence lies on the average face, by expression: maps, regions, measured effects.

Importing this loads neither torch nor dlib.
"""

from typing import TYPE_CHECKING

from core.global_view.stored import MEASURES, global_view_file, region_rows, stored_global_view
from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.global_view.drawing import group_of, mean_map_picture, view_scale
    from core.global_view.run import make_global_view

__getattr__ = lazy_names(
    __name__,
    {
        "drawing": ("group_of", "mean_map_picture", "view_scale"),
        "run": ("make_global_view",),
    },
)

__all__ = [
    "MEASURES",
    "global_view_file",
    "group_of",
    "make_global_view",
    "mean_map_picture",
    "region_rows",
    "stored_global_view",
    "view_scale",
]
