"""Rows become columns of the types a reader expects, in their order."""

import pandas as pd
import pytest

from core.evaluation import Predictions
from webapp.results.paper_tables import arrow_table
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
