"""A report as rows, and rows as text."""

import csv
import io
import json
from typing import Any

import pytest
from made_faithfulness import made_report

from core.faithfulness.table import faithfulness_rows, ranking_agreement
from core.tabular import TableFormat, table_text


def rows() -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in faithfulness_rows(made_report())}


def test_methods_come_by_their_gap_and_controls_last() -> None:
    assert list(rows()) == ["hires_cam", "layer_cam", "grad_cam", "random", "centre", "other_face"]


def test_figures_are_those_of_the_report() -> None:
    row = rows()["hires_cam"]

    assert row["method"] == "HiResCAM"
    assert (row["gap"], row["gap_low"], row["gap_high"]) == (0.3, 0.25, 0.35)
    assert row["lead"] == 0.08  # the low end over the strongest control
    assert row["random_likeness"] == 0.4
    assert (row["flip"], row["shift"], row["noise"]) == (0.9, 0.8, None)
    assert row["road"] == 0.2
    assert row["cost"] == "1.3 to 4 forward passes"


def test_only_the_method_offered_first_is_marked() -> None:
    assert [name for name, row in rows().items() if row["recommended"]] == ["hires_cam"]


def test_a_control_has_a_gap_and_nothing_else() -> None:
    row = rows()["centre"]

    assert row["gap"] == 0.15
    assert row["verdict"] is None
    assert row["insertion"] is None


TABLE: list[dict[str, Any]] = [{"name": "a_b|c", "value": 0.12345}, {"name": "50 %", "value": None}]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("md", ["| name | value |", "| --- | --- |", r"| a_b\|c | 0.123 |", "| 50 % | - |"]),
        ("csv", ["name,value", "a_b|c,0.12345", "50 %,"]),
        (
            "latex",
            [
                r"\begin{tabular}{ll}",
                r"\toprule",
                r"name & value \\",
                r"\midrule",
                r"a\_b\textbar{}c & 0.123 \\",
                r"50 \% & - \\",
                r"\bottomrule",
                r"\end{tabular}",
            ],
        ),
    ],
)
def test_tables_as_text(form: TableFormat, expected: list[str]) -> None:
    assert table_text(TABLE, form) == "\n".join(expected) + "\n"


def test_what_latex_and_markdown_would_read_as_more_than_text_is_written_as_text() -> None:
    table = [{"[a]": '<b> "c"', "d": "e\n f"}, {"[a]": "*g", "d": " [h]"}]

    latex, markdown = (table_text(table, form).splitlines() for form in ("latex", "md"))

    # Behind \\ and \midrule a bracket would begin an argument, and a star another command.
    assert latex[2] == r"{}[a] & d \\"
    quote = r"\texttt{\char34}"
    assert latex[4] == rf"\textless{{}}b\textgreater{{}} {quote}c{quote} & e f \\"
    assert latex[5] == r"{}*g & {}[h] \\"
    assert markdown[2:] == ['| <b> "c" | e f |', "| *g | [h] |"]


def test_csv_and_json_keep_every_digit() -> None:
    found = faithfulness_rows(made_report())

    assert json.loads(table_text(found, "json")) == found
    read = list(csv.DictReader(io.StringIO(table_text(found, "csv"))))
    assert [float(row["gap"]) for row in read] == [row["gap"] for row in found]


def test_measures_are_compared_by_the_order_they_put_the_methods_in() -> None:
    report = made_report(planted={"area": 0.1, "shares": {
        "grad_cam": {"share": 0.2, "ci": [0.1, 0.3]},
        "hires_cam": {"share": 0.7, "ci": [0.6, 0.8]},
        "layer_cam": {"share": 0.8, "ci": [0.7, 0.9]},
    }})  # fmt: skip
    for name, road in (("grad_cam", 0.5), ("hires_cam", 0.3), ("layer_cam", 0.4)):
        report["methods"][name]["road"] = {"gap": road, "ci": [road, road]}

    found = ranking_agreement(report)

    # Gaps are .1, .3, .25: ROAD has them the other way round, the mark swaps the upper two.
    assert found == pytest.approx(
        {("gap", "road"): -1.0, ("gap", "planted"): 0.5, ("road", "planted"): -0.5}
    )


def test_measures_without_three_methods_in_common_are_not_compared() -> None:
    assert ("gap", "planted") not in ranking_agreement(made_report())
