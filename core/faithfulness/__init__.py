"""Whether a map is true: how far it tells what the network used, measured against controls."""

from typing import TYPE_CHECKING

from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.faithfulness.insertion_deletion import FaceFaithfulness, face_faithfulness
    from core.faithfulness.method_figures import Sizes
    from core.faithfulness.report import faithfulness_report
    from core.faithfulness.run import measure_faithfulness, measure_groups
    from core.faithfulness.table import faithfulness_rows, ranking_agreement

__getattr__ = lazy_names(
    __name__,
    {
        "insertion_deletion": ("FaceFaithfulness", "face_faithfulness"),
        "method_figures": ("Sizes",),
        "report": ("faithfulness_report",),
        "run": ("measure_faithfulness", "measure_groups"),
        "table": ("faithfulness_rows", "ranking_agreement"),
    },
)

__all__ = [
    "FaceFaithfulness",
    "Sizes",
    "face_faithfulness",
    "faithfulness_report",
    "faithfulness_rows",
    "measure_faithfulness",
    "measure_groups",
    "ranking_agreement",
]
