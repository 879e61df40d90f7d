"""Whether a map is true: how far it tells what the network used, measured against controls."""

from typing import TYPE_CHECKING

from core.lazy import late_names

if TYPE_CHECKING:
    from core.faithfulness.insertion_deletion import FaceTest, check_face
    from core.faithfulness.method_figures import Sizes
    from core.faithfulness.report import faithfulness_report
    from core.faithfulness.run import measure_trust
    from core.faithfulness.table import trust_rows

__getattr__ = late_names(
    __name__,
    {
        "insertion_deletion": ("FaceTest", "check_face"),
        "method_figures": ("Sizes",),
        "report": ("faithfulness_report",),
        "run": ("measure_trust",),
        "table": ("trust_rows",),
    },
)

__all__ = [
    "FaceTest",
    "Sizes",
    "check_face",
    "faithfulness_report",
    "measure_trust",
    "trust_rows",
]
