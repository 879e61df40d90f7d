"""The results page by stratum: measured there or by a command, and shown with intervals."""

import json
from pathlib import Path
from typing import Any

import pytest
from evaluated_run import TEST
from results_views import tables, view, words
from streamlit.testing.v1 import AppTest

from core.evaluation import measure_strata
from webapp.results.strata_view import ends_in_words


def test_strata_not_measured_yet_say_what_will_stand_there(page: AppTest) -> None:
    view(page, "Strata")

    assert page.subheader[0].value.startswith("How does accuracy change with head turn")
    assert page.info[0].value.startswith("“Net one” was not measured by condition yet.")
    assert "`python -m core strata one --by head_turn --by sharpness`" in words(page)
    assert page.button(key="measure strata").label == "Measure by head turn and sharpness"
    assert not page.button(key="measure strata").disabled
    assert "Part by a list or condition" in [one.label for one in page.expander]


def test_without_the_pictures_nothing_can_be_measured_and_it_is_said_why(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path))

    view(page, "Strata")

    assert not page.exception
    button = page.button(key="measure strata")
    assert button.disabled
    assert "are not prepared here." in button.help
    assert button.help in words(page)


def test_head_turn_and_sharpness_are_measured_at_a_click(page: AppTest, own_runs: Path) -> None:
    view(page, "Strata")
    page.button(key="measure strata").click().run(timeout=180)

    assert not page.exception
    assert not page.error
    kept = json.loads((own_runs / "one" / "strata.json").read_text())["groupings"]
    assert [one["name"] for one in kept] == ["head_turn", "sharpness"]
    assert page.get("plotly_chart")
    assert "Part by another condition" in [one.label for one in page.expander]


def test_nothing_is_offered_on_a_server_that_writes_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    view(page, "Strata")

    assert page.code[0].value == "python -m core strata one --by head_turn --by sharpness"
    assert not [one for one in page.button if (one.key or "").startswith("measure ")]
    assert not page.expander


def row(stratum: str, faces: int, accuracy: float) -> dict[str, Any]:
    return {"stratum": stratum, "faces": faces, "accuracy": accuracy}


def test_where_a_network_is_right_most_and_least_often_is_said() -> None:
    rows = [row("low", 1200, 0.9), row("far", 30, 0.7), row("few", 29, 0.1), row("", 90, 0.2)]

    assert ends_in_words(rows) == (
        "Right most often in “low”: 90.0 % of 1,200 faces; "
        "least often in “far”: 70.0 % of 30 faces."
    )
    assert ends_in_words(rows[1:]) == ""


def test_strata_are_measured_on_the_page_and_shown_with_their_intervals(
    page: AppTest, own_runs: Path
) -> None:
    view(page, "Strata")
    page.multiselect(key="strata by").set_value(["sharpness"])
    page.button(key="measure list").click().run()

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
    page.button(key="measure list").click().run()

    assert page.warning[0].value == "Give a list, or choose a condition that needs none."


def test_strata_that_cannot_be_measured_are_one_sentence(page: AppTest) -> None:
    view(page, "Strata")
    page.multiselect(key="strata by").set_value(["stratum"])
    page.button(key="measure list").click().run()

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


@pytest.mark.parametrize("name", ["Confusions", "One run", "Strata"])
@pytest.mark.parametrize(("asked", "shown"), [("nonsense", "one"), ("two", "two")])
def test_a_link_to_a_run_that_is_not_here_says_so(
    page: AppTest, name: str, asked: str, shown: str
) -> None:
    page.query_params["run"] = asked
    view(page, name)

    assert page.selectbox(key="run").value == shown
    said = [one.value for one in page.warning if "which is not here" in one.value]
    assert (said == []) == (asked == shown)
    assert all(f"'{asked}'" in one for one in said)


def test_what_the_page_puts_into_its_own_address_is_no_link(page: AppTest) -> None:
    view(page, "Confusions")
    page.selectbox(key="against").set_value("two").run()
    page.selectbox(key="run").set_value("two").run()

    assert page.selectbox(key="run").value == "two"
    assert not [one for one in page.warning if "which is not here" in one.value]
