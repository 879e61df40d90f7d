"""Table 2 as the runs measure it, kept while their files stay the same.

Apart from `store`, which imports pandas and SciPy for the other views.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from core.evaluation import Accuracy, all_runs, measure, table2
from core.files import changed

Rows = list[dict[str, Any]]


def tables() -> tuple[Rows, Rows]:
    """Table 2 with measurements, and the preliminary report's table; files are read once."""
    runs = all_runs()
    table, preliminary = (
        table2(part=part, runs=runs, measured_by=_measured) for part in ("table_2", "preliminary")
    )
    return table, preliminary


def _measured(folder: Path) -> dict[str, Accuracy]:
    times = changed(folder / "predictions.csv"), changed(folder / "report.json")
    return _measurement(str(folder), times)


@st.cache_resource(max_entries=200, show_spinner=False)
def _measurement(folder: str, times: tuple[float, float]) -> dict[str, Accuracy]:
    return measure(Path(folder))
