"""The results page by stratum: measured there or by a command, and shown with intervals."""

import json
from pathlib import Path

from evaluated_run import TEST
from results_views import tables, view, words
from streamlit.testing.v1 import AppTest

from core.evaluation import measure_strata


def test_strata_not_measured_yet_are_measured_with_a_command_or_the_form(page: AppTest) -> None:
    view(page, "Strata")

    assert "were not parted by stratum yet" in page.info[0].value
    assert "`python -m core strata one LIST.csv`" in page.info[0].value


def test_strata_are_measured_on_the_page_and_shown_with_their_intervals(
    page: AppTest, own_runs: Path
) -> None:
    view(page, "Strata")
    page.multiselect(key="strata by").set_value(["sharpness"])
    page.button(key="measure strata").click().run()

    assert not page.exception
    assert not page.error
    (kept,) = json.loads((own_runs / "one" / "strata.json").read_text())["groupings"]
    table = tables(page)[0]
    assert table["Faces"].tolist() == [row["n"] for row in kept["rows"]]
    assert sum(table["Faces"]) == 6 * TEST
    row = kept["rows"][0]
    low, high = (f"{100 * end:.1f}" for end in row["accuracy_interval"])
    assert table["Right %"][0] == f"{100 * row['accuracy']:.1f} ({low} to {high})"
    assert page.selectbox(key="grouping").options == ["Sharpness, published test of shapes"]
    assert "have fewer than 30 faces, which say little" in words(page)
    assert len(page.get("plotly_chart")) == 1


def test_a_form_of_strata_without_a_condition_says_so(page: AppTest) -> None:
    view(page, "Strata")
    page.button(key="measure strata").click().run()

    assert page.warning[0].value == "Give a list, or choose a condition that needs none."


def test_strata_that_cannot_be_measured_are_one_sentence(page: AppTest) -> None:
    view(page, "Strata")
    page.multiselect(key="strata by").set_value(["stratum"])
    page.button(key="measure strata").click().run()

    assert not page.exception
    assert "shapes says no stratum of these faces" in page.error[0].value


def test_strata_of_a_list_show_notes_and_faithfulness(
    page: AppTest, own_runs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "worn.csv"
    path.write_text("path,hat\nanger/000.png,yes\ntest/anger/001.png,yes\ntest/fear/001.png,no\n")
    ends = {"n": 2, "gap": [0.25, None, None], "control": "centre", "lead": [0.125, None, None]}
    measure_strata(
        "one",
        path,
        explaining=lambda groups: {
            "method": "expected_cam",
            "layer": "x",
            "faces": 7,
            "groups": dict.fromkeys(groups, ends),
        },
    )

    view(page, "Strata")

    figures = page.segmented_control(key="figure of strata")
    assert figures.options == ["Right", "Less the rest", "Answered", "Macro-F1", "Faithfulness"]
    figures.set_value("Faithfulness").run()
    assert not page.exception
    table = tables(page)[0]
    assert table["Stratum"].tolist() == ["yes", "no", "in none"]
    assert table["Faces"].tolist() == [1, 1, 6 * TEST - 2]
    assert "+0.250" in table["Gap"].tolist()
    assert "1 of the 3 names fit several pictures" in words(page)
    assert "Faithfulness is that of expected\\_cam on at most 7 faces" in words(page)
    assert len(page.get("download_button")) == 4
