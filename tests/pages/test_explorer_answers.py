"""A network's answers on the explorer's pictures, sorting by them, and views that are kept."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.data import exclude_path, load_dataset, read_exclude, write_exclude
from core.evaluation import Predictions
from core.predict import Predictor
from webapp.dataset_explorer.gallery import WRONG, legend
from webapp.dataset_explorer.tiles import said

PAGE = "../pages/dataset_explorer.py"


@pytest.fixture
def explorer(
    app: AppTest, made: Path, own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    """The pictures of a measured set, in a data root of this test's own."""
    shutil.copytree(made / "data" / "shapes", tmp_path / "data" / "shapes")
    shutil.copytree(made / "runs", own_runs, dirs_exist_ok=True)
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Pictures"
    return app.run()


def tiles(app: AppTest) -> dict[int, str]:
    """What stands below each picture, by its number, in the order shown."""
    keys = [(button.key or "", button.label) for button in app.button]
    return {int(key.split()[1]): label for key, label in keys if key.startswith("grid ")}


def with_network(app: AppTest) -> AppTest:
    app.selectbox(key="network").set_value("one").run()
    assert not app.exception
    return app


def test_pictures_say_what_the_network_answered_when_it_was_measured(
    explorer: AppTest, own_runs: Path, tmp_path: Path
) -> None:
    explorer.multiselect(key="split").set_value(["test"]).run()
    assert not any("✓" in label or "✗" in label for label in tiles(explorer).values())

    shown = tiles(with_network(explorer))

    predictions = Predictions.load(own_runs / "one")
    manifest = load_dataset(tmp_path / "data" / "shapes").manifest
    said = predictions.table.set_index("pixel_hash")[list(predictions.labels)]
    assert len(shown) == 24
    for number, label in shown.items():
        scores = said.loc[manifest["pixel_hash"][number]]
        words = f"{scores.idxmax()} {100 * scores.max():.1f} %"
        right = scores.idxmax() == manifest["label"][number]
        assert label.endswith(f"  \n✓ {words}" if right else f"  \n:red[**✗** {words}]")
    assert any("✗" in label for label in shown.values())


def test_pictures_that_were_not_measured_are_asked_and_sorted_by_loss(
    explorer: AppTest, own_runs: Path, tmp_path: Path
) -> None:
    explorer.multiselect(key="split").set_value(["train"]).run()
    with_network(explorer)
    explorer.selectbox(key="order").set_value("Highest loss first").run()

    numbers = list(tiles(explorer))
    data, predictor = load_dataset(tmp_path / "data" / "shapes"), Predictor.load(own_runs / "one")
    ids = np.flatnonzero(data.manifest["split"] == "train")
    stored = Predictions.load(own_runs / "one").table.set_index("pixel_hash")
    losses: dict[int, float] = {}
    for number in map(int, ids):
        label, key = data.manifest["label"][number], data.manifest["pixel_hash"][number]
        if key in stored.index:
            losses[number] = -np.log(stored.loc[key, label])
        else:
            answer = predictor.prediction(predictor.logits(data.images[number][None])[0])
            losses[number] = -np.log(answer.probabilities[answer.labels.index(label)])
    expected = sorted(losses, key=lambda number: -losses[number])[:24]
    assert [round(losses[number], 4) for number in numbers] == pytest.approx(
        [round(losses[number], 4) for number in expected], abs=1e-3
    )
    assert losses[numbers[0]] > losses[numbers[-1]]


def test_a_network_that_takes_colour_answers_the_grey_pictures(
    explorer: AppTest, own_runs: Path, tmp_path: Path
) -> None:
    card = own_runs / "one" / "card.json"
    written = json.loads(card.read_text())
    written["preprocess"]["colour"] = True
    card.write_text(json.dumps(written))
    explorer.multiselect(key="split").set_value(["train"]).run()
    with_network(explorer)

    explorer.selectbox(key="order").set_value("Least certain first").run()

    assert not explorer.exception
    data, predictor = load_dataset(tmp_path / "data" / "shapes"), Predictor.load(own_runs / "one")
    measured = set(Predictions.load(own_runs / "one").table["pixel_hash"])
    asked = {
        number: label
        for number, label in tiles(explorer).items()
        if data.manifest["pixel_hash"][number] not in measured
    }
    assert asked
    for number, label in asked.items():
        colour = np.stack([data.images[number]] * 3, axis=2)
        answer = predictor.prediction(predictor.logits(colour[None])[0])
        assert f" {answer.predicted} {100 * answer.confidence:.1f} %" in label.replace("**", "")


def test_only_wrong_answers_can_be_listed_and_leave_with_the_network(explorer: AppTest) -> None:
    with_network(explorer)
    explorer.multiselect(key="finding").set_value(["wrong"]).run()
    shown = tiles(explorer)
    assert shown
    assert all("✗" in label for label in shown.values())

    explorer.selectbox(key="order").set_value("Most certain first").run()
    explorer.selectbox(key="network").set_value("").run()

    assert not explorer.exception
    assert explorer.multiselect(key="finding").value == []
    assert explorer.selectbox(key="order").value == "As listed"


def test_an_answer_is_held_against_no_label_that_the_network_has_not() -> None:
    row = pd.Series({"answer": "fear", "confidence": 0.9, "label": "neutral", "loss": np.nan})
    known = row.copy()
    known["label"], known["loss"] = "anger", 2.3

    assert said(row) == "fear 90.0 %"
    assert said(known) == ":red[**✗** fear 90.0 %]"
    table = pd.DataFrame([row, known])
    assert WRONG["wrong"][1](table).tolist() == [False, True]


def test_a_legend_explains_the_signs_of_its_page_only() -> None:
    plain = {"copies": 1, "leaks": False, "contradicting": False, "excluded": False}
    rows = pd.DataFrame([plain, {**plain, "copies": 2, "excluded": True}])

    assert legend(rows.head(1), answered=False) == "Click a picture to see it in full."
    assert legend(rows, answered=False) == (
        "Click a picture to see it in full. 2 copies: so many are the same picture · ⊘ excluded."
    )
    assert "full. ✓ and ✗: the network's answer" in legend(rows.head(1), answered=True)


def test_a_map_of_few_pictures_says_that_it_says_little(explorer: AppTest) -> None:
    explorer.button_group(key="view").set_value("Map").run()

    assert not explorer.exception
    assert "A map of only 9 pictures says nothing" in explorer.warning[0].value
    assert "The part has only 9 pictures; " in explorer.caption[1].value

    explorer.selectbox(key="map part").set_value("train").run()

    assert not explorer.exception
    assert not explorer.warning
    assert "The part has only 111 pictures; " in explorer.caption[1].value


def test_a_view_is_kept_found_again_and_deleted(explorer: AppTest, tmp_path: Path) -> None:
    with_network(explorer)
    explorer.multiselect(key="label").set_value(["fear"])
    explorer.multiselect(key="finding").set_value(["wrong"]).run()
    explorer.selectbox(key="order").set_value("Most certain first").run()
    wanted = tiles(explorer)
    explorer.text_input(key="view name").set_value("sure but wrong").run()
    explorer.button(key="save view").click().run()
    explorer.selectbox(key="network").set_value("").run()
    explorer.multiselect(key="label").set_value([]).run()
    assert tiles(explorer) != wanted

    explorer.button(key="open view").click().run()

    file = tmp_path / "data" / "shapes" / "views.json"
    assert not explorer.exception
    assert tiles(explorer) == wanted
    assert json.loads(file.read_text())["sure but wrong"]["network"] == ["one"]

    explorer.button(key="delete view").click().run()

    assert json.loads(file.read_text()) == {}
    assert "saved view" not in [box.key for box in explorer.selectbox]


@pytest.mark.parametrize("chosen", [0, 2])
def test_rows_taken_off_the_exclude_list_choose_no_others(
    explorer: AppTest, tmp_path: Path, chosen: int
) -> None:
    folder = tmp_path / "data" / "shapes"
    listed = load_dataset(folder).manifest.drop_duplicates("pixel_hash").head(3)
    write_exclude(folder, listed[["pixel_hash", "source", "path"]].assign(reason="none"))
    explorer.button_group(key="view").set_value("Excluded").run()
    table = explorer.dataframe[0].proto.id

    def run() -> None:
        """As a browser, which sends the selection of a table for as long as it is there."""
        states = explorer._tree.get_widget_states()
        for state in [one for one in states.widgets if one.id == table]:
            states.widgets.remove(state)
        selection = {"selection": {"rows": [chosen], "columns": [], "cells": []}}
        states.widgets.add(id=table, string_value=json.dumps(selection))
        explorer._run(states)

    run()
    explorer.button(key="include rows").click()
    run()

    assert not explorer.exception
    assert len(read_exclude(exclude_path(folder))) == 2
    assert explorer.button(key="include rows").disabled


def test_a_view_without_a_name_is_not_kept_and_a_foreign_file_does_no_harm(
    explorer: AppTest, tmp_path: Path
) -> None:
    file = tmp_path / "data" / "shapes" / "views.json"
    explorer.button(key="save view").click().run()
    assert not file.exists()

    file.write_text('{"odd": 3, "fair": {"label": ["fear", 7], "elsewhere": ["x"]}}')
    explorer.run()

    assert not explorer.exception
    assert explorer.selectbox(key="saved view").options == ["fair"]
