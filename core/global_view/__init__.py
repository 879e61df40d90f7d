"""Where a run's evidence lies on the average face, by expression: maps, regions, measured effects.

Importing this loads neither torch nor dlib.
"""

from typing import TYPE_CHECKING

from core.front_door import late_names
from core.global_view.stored import global_view_file, stored_global_view

if TYPE_CHECKING:
    from core.global_view.viewing import make_global_view

__getattr__ = late_names(__name__, {"viewing": ("make_global_view",)})

__all__ = ["global_view_file", "make_global_view", "stored_global_view"]
