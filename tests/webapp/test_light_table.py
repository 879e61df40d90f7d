"""Rows become columns of the types a reader expects, in their order."""

from typing import Any

import pandas as pd
import pytest

from core.evaluation import Predictions
from webapp.results.paper_tables import arrow_table, begun_elsewhere
from webapp.results.picture_grid import absent_rows

ROWS = [
    {"Model": "VGG", "Layers": 16, "Paper": 83, "Ours": None, "Date": "2026-01-02", "Run": None},
    {"Model": "Größe", "Layers": 18, "Paper": 81.3, "Ours": 84.25, "Date": None, "Run": None},
]


def test_values_and_the_order_of_columns_are_kept() -> None:
    table = arrow_table(ROWS)

    assert table.column_names == list(ROWS[0])
    assert table.to_pylist() == ROWS


def test_numbers_can_be_sorted_as_numbers_and_dates_stay_texts() -> None:
    types = {field.name: str(field.type) for field in arrow_table(ROWS).schema}

    assert types == {
        "Model": "string",
        "Layers": "int64",
        "Paper": "double",
        "Ours": "double",
        "Date": "string",
        "Run": "null",
    }


def test_a_row_gives_the_probability_of_answer_and_label() -> None:
    table = pd.DataFrame({"source": ["raf_db"], "true": ["fear"], "anger": [0.7], "fear": [0.3]})

    row = absent_rows(Predictions(("anger", "fear"), table)).iloc[0]

    assert (row["Label"], row["Answer"]) == (["fear"], ["anger"])
    assert (row["Answer %"], row["Label %"]) == pytest.approx((70.0, 30.0))
    assert row["Image set"] == "RAF-DB"


def test_starts_on_other_pictures_are_told_and_those_on_the_same_are_not() -> None:
    def start(run: str, epochs: int | None, *, same: bool) -> dict[str, Any]:
        return {"run": run, "epochs": epochs, "sources": ["raf_db"], "same_data": same}

    row = {"dataset": "FER2013", "model": "VGG", "layers": 16, "architecture": "+BN"}
    rows = [
        {**row, "measured": None},
        {**row, "measured": {"earlier": [start("a", 44, same=False), start("b", 3, same=True)]}},
        {**row, "measured": {"earlier": [start("gone", None, same=True)]}},
    ]

    assert begun_elsewhere(rows) == [
        "VGG 16 +BN on FER2013 began with weights that had 44 epochs on RAF-DB before.",
        "VGG 16 +BN on FER2013 began with weights of gone, which is not here.",
    ]
