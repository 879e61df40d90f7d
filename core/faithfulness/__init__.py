"""Whether a map is true: how far it tells what the network used, measured against controls."""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.faithfulness.insertion_deletion import FaceFaithfulness, face_faithfulness
    from core.faithfulness.run import measure_faithfulness, measure_groups
    from core.faithfulness.table import CONTROL_TITLES, faithfulness_rows, ranking_agreement

__getattr__ = lazy_names(
    __name__,
    {
        "insertion_deletion": ("FaceFaithfulness", "face_faithfulness"),
        "run": ("measure_faithfulness", "measure_groups"),
        "table": ("CONTROL_TITLES", "faithfulness_rows", "ranking_agreement"),
    },
)

__all__ = [
    "CONTROL_TITLES",
    "FaceFaithfulness",
    "face_faithfulness",
    "faithfulness_rows",
    "measure_faithfulness",
    "measure_groups",
    "ranking_agreement",
]
