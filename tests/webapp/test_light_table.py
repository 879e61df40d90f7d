"""Rows become Arrow columns of the types a reader expects, in their order."""

from webapp.results.paper_tables import arrow_table

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
