"""The results page: every figure from files, every figure down to its pictures."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from evaluated_run import TEST
from results_views import pictures, results, tables, view, words
from streamlit.testing.v1 import AppTest

from core.checkpoints import DEFAULT_CHECKPOINT
from core.evaluation import Album, Predictions, cell, load_report, published_rows
from core.files import write_json


def cards(page: AppTest) -> int:
    """How many pictures are shown with their probabilities."""
    return sum("probability-bars" in html.proto.body for html in page.get("html"))


def test_without_runs_the_paper_stands_alone(app: AppTest) -> None:
    page = results(app)

    parts = tables(page)[:3]
    assert not page.exception
    assert [len(part) for part in parts] == [8, 7, 5]
    shown = [figure for part in parts for figure in part["Paper test %"]]
    assert shown == [row.test for row in published_rows()]
    assert {status for part in parts for status in part["Status"]} == {"not run"}
    assert all(part["Here: test %"].isna().all() for part in parts)
    assert words(page).count("**FER GiMEFiVE**") == 1
    assert "python -m core train rafdb-vgg-modern" in page.code[0].value


@pytest.mark.parametrize("name", ["Confusions", "One run", "Image sets"])
def test_without_runs_a_view_says_how_to_begin(app: AppTest, name: str) -> None:
    page = view(results(app), name)

    assert "python -m core evaluate default" in page.info[0].value


def as_vgg_on_raf_db(folder: Path, epochs: int) -> None:
    """Make a run look like one of the first row of Table 2."""
    for name in ("card.json", "report.json"):
        content = json.loads((folder / name).read_text())
        content.update({"model": "vgg", "model_options": {}, "sources": ["raf_db"]})
        if name == "card.json":
            content["data"]["sources"] = ["raf_db"]
        write_json(folder / name, content)
    found = Predictions.load(folder)
    Predictions(found.labels, found.table.replace({"source": {"folder": "raf_db"}})).save(folder)
    lines = [json.dumps({"epoch": number + 1}) for number in range(epochs)]
    (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def test_a_run_measures_its_row(page: AppTest, own_runs: Path) -> None:
    folder = own_runs / "one"
    as_vgg_on_raf_db(folder, epochs=4)

    table = tables(page.run())[0]

    row = table[table["Model"] == "VGG 16 +BN"].iloc[0]
    found = Predictions.load(folder).of_split("test")
    assert row["Status"] == "measured"
    assert row["Run"] == "one"
    assert row["Here: test %"] == pytest.approx(100 * found.correct.mean())
    assert row["Epochs here"] == "4"


def test_figure_1_says_after_how_many_epochs_a_run_was_measured(
    page: AppTest, own_runs: Path
) -> None:
    as_vgg_on_raf_db(own_runs / "one", epochs=4)

    page.run()

    chart = next(html.proto.body for html in page.get("html") if "dots" in html.proto.body)
    assert "measured by one after 4 epochs" in chart
    assert chart.count("<span>not measured</span>") == 7
    # of the epochs in Table 3
    assert "the paper's, after up to 80 epochs" in chart
    assert "fewer than 10 epochs" in chart


def test_a_row_is_told_and_both_its_figures_are_seen_on_a_phone(page: AppTest) -> None:
    for drawn, table in zip(page.dataframe, tables(page), strict=True):
        first = ["Model", "Here: test %", "Paper test %", "95 % interval", "Epochs here"]
        assert table.columns.tolist()[:5] == first
        columns = json.loads(drawn.proto.columns)
        shown = [columns[name]["width"] for name in table.columns[:3]]
        assert 33 + sum(shown) <= 358  # px of the tick and of the page
        assert shown[0] >= 203  # "GiMEFiVE (Ours)* 15 +DO+BN-SE" takes 187 px, and 8 on a side
        assert table["Model"].is_unique

    said = words(page).replace("\\", "")
    for sign in ("+ is with and - without", "BN,", "SE,", "DO,", "RB,", "Without copies %:"):
        assert said.count(sign) == 1
    assert said.count("scroll the table sideways") == 2
    assert said.count("passes over the training pictures") == 1
    assert "Human raters: 84.1 %. One human rater agrees with the other nine on FER+" in said


RUNS = {"Confusions": ("one",), "Image sets": ("one", "two")}


@pytest.mark.parametrize("name", RUNS)
def test_runs_copied_without_the_facts_say_what_to_do(
    page: AppTest, own_runs: Path, name: str
) -> None:
    shutil.rmtree(own_runs / "facts")

    view(page, name)

    said = [text.value.replace("\\", "") for text in (*page.error, *page.caption)]
    told = [text for text in said if "evaluate again: python -m core evaluate" in text]
    assert len(told) == len(RUNS[name])


@pytest.mark.parametrize("name", ["Table 2", "One run", "Explanations", "Mean maps"])
def test_views_of_the_report_alone_need_no_facts(page: AppTest, own_runs: Path, name: str) -> None:
    shutil.rmtree(own_runs / "facts")

    view(page, name)

    assert not page.error


def test_a_run_with_predictions_of_the_old_form_is_shown(page: AppTest, own_runs: Path) -> None:
    for run in (own_runs / "one", own_runs / "two"):
        found = Predictions.load(run)
        (run / "predictions.npz").unlink()
        found.table.to_csv(run / "predictions.csv", index=False)
    shutil.rmtree(own_runs / "facts")

    view(page, "Confusions")

    assert page.get("plotly_chart")
    assert not page.error


def test_the_confusions_begin_with_the_most_frequent_mistake(page: AppTest, own_runs: Path) -> None:
    view(page, "Confusions")

    found = Predictions.load(own_runs / "one").of_split("test")
    true, answer = page.selectbox(key="cell label").value, page.selectbox(key="cell answer").value
    sizes = {(a, b): len(cell(found, a, b)) for a in found.labels for b in found.labels if a != b}
    assert sizes[str(true), str(answer)] == max(sizes.values()) > 0
    assert f"labelled {true} and called {answer}" in words(page)


def test_a_cell_shows_its_pictures_with_maps(page: AppTest, own_runs: Path) -> None:
    view(page, "Confusions")
    page.selectbox(key="cell label").set_value("happiness")
    page.selectbox(key="cell answer").set_value("happiness").run()

    found = Predictions.load(own_runs / "one").of_split("test")
    count = len(cell(found, "happiness", "happiness"))
    assert 0 < count <= TEST
    assert len(pictures(page)) == 2 * count
    assert cards(page) == count
    assert f"{count} picture" in words(page)


def test_maps_can_be_switched_off(page: AppTest) -> None:
    view(page, "Confusions")
    before = len(pictures(page))

    page.toggle(key="grid maps").set_value(False).run()

    assert len(pictures(page)) == before / 2 > 0


def test_an_empty_cell_says_so(page: AppTest) -> None:
    view(page, "Confusions")
    page.selectbox(key="cell label").set_value("fear")
    page.selectbox(key="cell answer").set_value("happiness").run()

    assert "There is no such picture." in words(page)


@pytest.mark.parametrize("kind", ["Surest mistakes", "Least certain"])
def test_lists_show_twelve_pictures_a_page(page: AppTest, kind: str, own_runs: Path) -> None:
    view(page, "Confusions")

    page.selectbox(key="list").set_value(kind).run()

    found = Predictions.load(own_runs / "one").of_split("test")
    expected = int((~found.correct).sum()) if kind == "Surest mistakes" else len(found)
    assert cards(page) == min(12, expected)


def test_the_accuracy_shown_is_the_diagonal(page: AppTest, own_runs: Path) -> None:
    view(page, "Confusions")

    test = load_report(own_runs / "one")["splits"]["test"]
    diagonal = sum(test["confusion"][i][i] for i in range(6))
    assert f"{100 * diagonal / test['n']:.1f} % of {test['n']} images on the diagonal" in words(
        page
    )


def test_two_runs_are_compared_on_the_same_images(page: AppTest) -> None:
    view(page, "Confusions")

    page.selectbox(key="against").set_value("two").run()

    assert not page.exception
    assert len(page.get("plotly_chart")) == 3
    assert "exact McNemar test" in words(page)
    assert "on 36 images" in words(page)


def test_without_the_data_labels_and_probabilities_remain_as_rows(
    page: AppTest, own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path))

    view(page, "Confusions")
    page.selectbox(key="list").set_value("Least certain").run()

    assert not page.exception
    assert "not prepared below the data folder" in words(page)
    assert cards(page) == 0
    assert pictures(page) == []
    rows = next(one for one in tables(page) if "Label %" in one)
    found = Predictions.load(own_runs / "one").of_split("test")
    assert len(rows) == len(found) > 12
    assert "grid page" not in {one.key for one in page.number_input}
    assert (maps := page.toggle(key="grid no maps")).disabled
    assert "none of these pictures is at hand" in maps.help


def test_where_some_pictures_are_missing_only_those_are_rows(
    page: AppTest, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def most(self: Album, table: Any) -> list[Any]:  # noqa: ANN401 - a table
        found = whole(self, table)
        return [None, None, *found[2:]]

    whole = Album.pictures
    monkeypatch.setattr(Album, "pictures", most)

    view(page, "Confusions")
    page.selectbox(key="list").set_value("Least certain").run()

    assert not page.exception
    assert "2 pictures of this page cannot be shown" in words(page)
    assert cards(page) == 10
    assert len(pictures(page)) == 20
    rows = next(one for one in tables(page) if "Label %" in one)
    assert len(rows) == 2


def test_one_run_shows_figures_with_intervals(page: AppTest, own_runs: Path) -> None:
    view(page, "One run")

    test = load_report(own_runs / "one")["splits"]["test"]
    assert page.metric[0].value == f"{100 * test['accuracy']:.1f} %"
    assert tables(page)[0]["Class"].explode().tolist() == list(test["per_class"])
    low, high = test["intervals"]["accuracy"]
    assert f"95 %: {100 * low:.1f} to {100 * high:.1f}" in words(page)


def test_the_literature_shows_tables_1_and_3_and_warns_of_peers(page: AppTest) -> None:
    view(page, "Literature")

    assert len(tables(page)[0]) == 11
    assert len(tables(page)[1]) == 12
    names = json.loads(page.dataframe[2].proto.columns)["Program"]
    # "SqueezeNet on AffectNet (Maiwald)" takes 220 px.
    assert names["width"] >= 220
    assert "trained on other data" in words(page)


def test_a_damaged_report_is_one_sentence(page: AppTest, own_runs: Path) -> None:
    report = json.loads((own_runs / "one" / "report.json").read_text())
    write_json(own_runs / "one" / "report.json", {**report, "format": 99})

    view(page, "One run")

    assert "python -m core evaluate one" in page.error[0].value


def test_a_click_on_a_cell_chooses_its_pictures(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.results import confusion_view

    state: dict[str, Any] = {"m": {"selection": {"points": [{"customdata": ["fear", "anger"]}]}}}
    monkeypatch.setattr("streamlit.session_state", state)

    confusion_view._take_click("m", "two")

    assert (state["cell label"], state["cell answer"]) == ("fear", "anger")
    assert (state["list"], state["cell run"]) == ("A cell", "two")


def test_it_opens_on_the_default_checkpoint(page: AppTest, own_runs: Path) -> None:
    (own_runs / "two").rename(own_runs / DEFAULT_CHECKPOINT)

    view(page, "Confusions")

    assert page.selectbox(key="run").value == DEFAULT_CHECKPOINT
    assert "run" not in page.query_params


def test_a_link_names_the_run(page: AppTest) -> None:
    page.query_params["run"] = "two"

    view(page, "One run")

    assert page.selectbox(key="run").value == "two"
    view(page, "Explanations")
    assert page.selectbox(key="run").value == "two"


def test_without_weights_the_maps_are_off_and_nothing_is_red(page: AppTest, own_runs: Path) -> None:
    (own_runs / "one" / "weights.safetensors").unlink()

    view(page, "Confusions")

    assert not page.error
    assert pictures(page)
    assert "No weights kept for this run" in words(page)


def test_runs_shipped_as_figures_are_offered_when_asked_for(
    page: AppTest, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_runs / "two").rename(own_runs / "rafdb-vgg-4-epochs")
    (own_runs / "rafdb-vgg-4-epochs" / "weights.safetensors").unlink()
    monkeypatch.setattr("core.checkpoints.SHIPPED", own_runs)

    view(page, "One run")
    assert len(page.selectbox(key="run").options) == 1

    page.toggle(key="run records").set_value(True).run()
    assert page.selectbox(key="run").options[1] == "VGG on RAF-DB, 4 epochs"


def test_a_cell_has_an_address(page: AppTest) -> None:
    page.query_params["label"], page.query_params["answer"] = "fear", "happiness"

    view(page, "Confusions")

    assert "labelled fear and called happiness" in words(page)
    page.selectbox(key="cell answer").set_value("anger").run()
    assert page.query_params["answer"] == "anger"
