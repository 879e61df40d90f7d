"""Table 2 in four forms that other programs read."""

import csv
import io
import json
from typing import Any

import pytest

from core.evaluation import FORMATS, exported, row_label, table2

NOT_RUN = {
    "dataset": "RAF-DB",
    "model": "GiMEFiVE (Ours)*",
    "name": "gimefive",
    "layers": 15,
    "architecture": "+DO+BN-SE",
    "parameters": 10478086,
    "published": {"train": 97.0, "test": 86.5, "valid": 78.1},
    "measured": None,
    "status": "not run",
    "command": "python -m core train rafdb-gimefive-modern",
}
MEASURED: dict[str, Any] = {
    **NOT_RUN,
    "dataset": "FER2013",
    "measured": {
        "train": None,
        "test": 66.66666666666667,
        "valid": 50.0,
        "test_clean": 65.0,
        "valid_clean": 64.0,
        "run": "my_run",
        "split": "clean",
        "intervals": {
            "test": [60.0, 72.0],
            "valid": [45.0, 55.0],
            "test_clean": [59.0, 71.0],
            "valid_clean": [58.0, 70.0],
        },
        "n": {"test": 300, "valid": 100, "test_clean": 200, "valid_clean": 99},
        "epochs": 10,
        "faces_seen": 87790,
        "faces_per_second": 250.5,
        "date": "2026-01-02T03:04:05+00:00",
    },
    "status": "measured",
    "command": "python -m core evaluate my_run",
}
ROWS = [NOT_RUN, MEASURED]


def test_json_gives_back_the_rows() -> None:
    assert json.loads(exported(ROWS, "json")) == ROWS


def test_csv_keeps_every_digit_and_leaves_gaps_where_nothing_was_measured() -> None:
    first, second = csv.DictReader(io.StringIO(exported(ROWS, "csv")))

    assert first["published_test"] == "86.5"
    assert first["measured_test"] == ""
    assert first["command"] == "python -m core train rafdb-gimefive-modern"
    assert float(second["measured_test"]) == 66.66666666666667
    assert (second["test_low"], second["test_high"], second["test_n"]) == ("60.0", "72.0", "300")
    assert second["run"] == "my_run"
    assert (second["epochs"], second["faces_seen"]) == ("10", "87790")


def test_markdown_has_a_cell_for_every_column() -> None:
    header, rule, *lines = exported(ROWS, "md").splitlines()

    assert {line.count("|") for line in (header, rule, *lines)} == {header.count("|")}
    assert "97.0 / 86.5 / 78.1" in lines[0]
    assert "not run: `python -m core train rafdb-gimefive-modern`" in lines[0]
    assert r"GiMEFiVE (Ours)\*" in lines[0]
    assert "- / 66.67 / 50.00" in lines[1]
    assert "60.0 to 72.0" in lines[1]
    assert "| my_run | 10 | 87,790 | 250.5 |" in lines[1]


def test_latex_has_escaped_names_and_as_many_cells_as_columns() -> None:
    text = exported(ROWS, "latex")
    lines = [line for line in text.splitlines() if line.startswith(("RAF-DB", "FER2013"))]

    assert [line.count(" & ") for line in lines] == [11, 11]
    assert all(line.endswith(r" \\") for line in lines)
    assert r"my\_run" in lines[1]
    assert r"66.67 {\scriptsize [60.0, 72.0]}" in lines[1]
    assert "--" in lines[0]
    assert text.count(r"\midrule") == 2  # under the header, and between the data sets
    assert text.startswith(r"\begin{tabular}{llrlrrrrrrrl}")


def test_a_run_s_name_is_text_in_markdown_and_latex() -> None:
    odd = {**MEASURED, "measured": {**MEASURED["measured"], "run": "a|b\n<c>"}}

    assert r"| a\|b <c> | 10 |" in exported([odd], "md")
    assert r"& a\textbar{}b \textless{}c\textgreater{} \\" in exported([odd], "latex")


@pytest.mark.parametrize(
    ("model", "layers", "flags", "label"),
    [
        ("GiMEFiVE (Ours)", 16, "+BN+SE", "GiMEFiVE (Ours) 16 +BN+SE"),
        ("ResNet18", 18, "+RB", "ResNet18 +RB"),
        ("Ours (10 layers)", 10, "-BN-SE", "Ours (10 layers) -BN-SE"),
    ],
)
def test_a_label_tells_rows_apart_and_says_layers_once(
    model: str, layers: int, flags: str, label: str
) -> None:
    assert row_label({"model": model, "layers": layers, "architecture": flags}) == label


def test_no_two_rows_of_a_data_set_have_one_label() -> None:
    labels = [(one["dataset"], row_label(one)) for one in table2(runs=())]

    assert len(set(labels)) == len(labels)


def after(*earlier: tuple[int | None, bool]) -> dict[str, Any]:
    """The measured row, of a run that went on from others: their epochs, whether on its data."""
    runs: list[dict[str, Any]] = [
        {"run": "r", "epochs": epochs, "sources": [], "same_data": same} for epochs, same in earlier
    ]
    return {**MEASURED, "measured": {**MEASURED["measured"], "earlier": runs}}


@pytest.mark.parametrize(
    ("row", "before", "words", "faces"),
    [
        (after(), "0", "10", "87,790"),
        (after((44, False), (3, True)), "3", "3 + 10", "114,127"),  # 13 of 8,779
        (after((None, True), (3, True)), "", "at least 3 + 10", "114,127"),
    ],
)
def test_epochs_before_its_own_are_told_where_they_are_known(
    row: dict[str, Any], before: str, words: str, faces: str
) -> None:
    (cells,) = csv.DictReader(io.StringIO(exported([row], "csv")))

    assert (cells["epochs"], cells["epochs_before"]) == ("10", before)
    assert f"| my_run | {words} | {faces} |" in exported([row], "md")


def test_an_unknown_form_is_refused() -> None:
    assert FORMATS == ("md", "csv", "latex", "json")
    with pytest.raises(ValueError, match="no format 'xml'"):
        exported(ROWS, "xml")  # type: ignore[arg-type]
