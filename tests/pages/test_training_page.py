"""The training page starts runs: the form, its errors, data, leaks, time, the queue."""

import re
import shutil
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest
from grey_faces import rows_of, write_dataset
from training_pages import Opened, labels, trained, words

from core.checkpoints import DEFAULT_CHECKPOINT
from core.data import PAPER_SOURCES
from core.training import (
    RunConfig,
    RunFolder,
    observe,
    preset,
    run_settings,
)
from webapp.training import runs_view, store


def test_without_data_it_says_where_to_get_some(training_page: Opened) -> None:
    app = training_page()

    assert "no prepared data set" in app.info[0].value
    assert "Start" not in labels(app)


def test_the_form_holds_the_preset(training_page: Opened, data: Path) -> None:
    app = training_page()
    app.selectbox(key="preset set").set_value("fer2013").run()
    app.selectbox(key="preset row").set_value("resnet18").run()
    app.selectbox(key="preset recipe").set_value("paper").run()

    wanted = preset("fer2013-resnet18-paper")
    assert app.selectbox(key="set model").value == "resnet18"
    assert app.selectbox(key="set split").value == "published"
    assert app.number_input(key="set learning_rate").value == wanted.learning_rate
    assert app.number_input(key="set epochs").value == 80
    assert app.toggle(key="set decay_all").value is True
    assert app.number_input(key="set augment.rotation").value == 0
    assert app.session_state["run name"] == "demo-resnet18-paper"
    said = app.warning[0].value
    assert said.startswith("This run learns from **demo**, not from the preset's image sets (FER")
    assert "Not prepared here: FER2013" in said


def test_another_network_or_recipe_leaves_what_the_visitor_set(
    training_page: Opened, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("demo", "mine"):
        shutil.copytree(data / "demo", tmp_path / "two" / name)
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "two"))
    app = training_page()
    app.selectbox(key="set data").set_value("mine").run()
    app.number_input(key="set epochs").set_value(1).run()
    app.text_input(key="run name").set_value("my-own").run()

    app.selectbox(key="preset row").set_value("resnet18").run()
    app.selectbox(key="preset recipe").set_value("paper").run()

    assert app.selectbox(key="set model").value == "resnet18"
    assert app.toggle(key="set decay_all").value is True  # the recipe's
    assert app.selectbox(key="set data").value == "mine"
    assert app.number_input(key="set epochs").value == 1
    assert app.session_state["run name"] == "my-own"

    app.selectbox(key="preset set").set_value("fer2013").run()
    assert app.number_input(key="set epochs").value == 80


def test_every_setting_has_a_field(training_page: Opened, data: Path) -> None:
    app = training_page()

    fields = [*app.number_input, *app.selectbox, *app.toggle, *app.multiselect, *app.text_input]
    shown = {field.key.removeprefix("set ") for field in fields if field.key}
    assert {setting.name for setting in run_settings()} <= shown
    for option in ("depth", "fc_depth", "head_dropout", "batch_norm", "pooling"):
        assert f"model_options.{option}" in shown


def test_errors_stand_beside_their_fields_and_forbid_the_start(
    training_page: Opened, data: Path
) -> None:
    app = training_page()
    app.number_input(key="set epochs").set_value(0)
    app.number_input(key="set augment.flip").set_value(2.0).run()

    text = words(app)
    assert ":red[epochs is 0; expected at least 1, unless initial names checkpoints, " in text
    assert ":red[augment.flip is 2.0; expected a number from 0 to 1.]" in text
    assert "2 settings must be changed" in text
    assert "Start" not in labels(app)

    app.number_input(key="set augment.flip").set_value(0.5)
    app.text_input(key="set initial").set_value("one+two").run()
    assert "must be changed" not in words(app)

    app.number_input(key="set epochs").set_value(3)
    app.number_input(key="set augment.flip").set_value(0.5).run()
    assert ":red[" not in words(app)
    assert "Start" in labels(app)


def test_options_outside_a_networks_range_are_told(training_page: Opened, data: Path) -> None:
    app = training_page()

    app.number_input(key="set model_options.depth").set_value(9).run()

    assert "GiMEFiVE got depth 9" in words(app)
    assert "Start" not in labels(app)


def test_numbers_leaks_and_layers_are_shown(training_page: Opened, data: Path) -> None:
    app = training_page()

    text = words(app)
    found = re.search(r"(\d+) training pictures, (\d+) for validation, 30 for the test", text)
    assert found is not None
    assert int(found[1]) + int(found[2]) == 120
    assert "No leak" in text
    assert "10,478,086 parameters" in text

    app.toggle(key="layers").set_value(True).run()
    assert app.dataframe[0].value["Parameters"].sum() == 10_478_086


def test_a_split_with_copies_across_parts_is_said_to_leak(
    training_page: Opened, drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(drawings / "demo", tmp_path / "data" / "demo")
    folder = tmp_path / "data" / "demo"
    manifest = (folder / "manifest.csv").read_text().splitlines()
    columns = manifest[0].split(",")
    group, split = columns.index("group"), columns.index("split")
    rows = [line.split(",") for line in manifest[1:]]
    for name in ("train", "test"):  # one of each becomes a copy of the other
        next(row for row in rows if row[split] == name)[group] = "77"
    (folder / "manifest.csv").write_text("\n".join([manifest[0], *(",".join(r) for r in rows)]))
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))

    app = training_page()
    app.selectbox(key="set split").set_value("published").run()

    assert "1 test picture has a copy among the training pictures" in words(app)
    assert "not enough pictures" in words(app)  # the drawings have no published validation part
    assert "Start" not in labels(app)


def test_the_published_split_is_validated_by_the_papers_600(tmp_path: Path) -> None:
    every = [(label, label) for label in range(6)]
    rows = [
        *rows_of("raf_db", "train", "train", every * 3),
        *rows_of("raf_db", "test", "test", every),
        *rows_of("gimefive_valid", "valid", "drop", every * 2),
    ]
    folder = write_dataset(tmp_path / "own", rows, "a-hash")
    (folder / "pairs.csv").write_text("first,second,exact,correlation\n0,24,True,1.0\n")
    manifest = pd.read_csv(folder / "manifest.csv")
    manifest.loc[[0, 24], "group"] = 7
    manifest.to_csv(folder / "manifest.csv", index=False)

    published = store.parts(folder, "published", ("raf_db",), "six")
    clean = store.parts(folder, "clean", ("raf_db",), "six")

    assert (published.train, published.valid, published.test) == (18, 12, 6)
    assert sum(published.leaks.values()) == 1
    assert (clean.train, clean.valid, clean.leaks) == (18, 0, {})


def test_the_time_is_told_from_a_run_of_equal_settings(
    training_page: Opened, data: Path, own_runs: Path
) -> None:
    trained(own_runs, "former", 0.5, 0.6, model_options={}, batch_size=64)
    app = training_page("New run")

    found = re.search(
        r"About \*\*(.+?)\*\* on the machine this app runs on for 28 epochs: "
        r"100 faces a second, as in run former",
        words(app),
    )

    assert found is not None
    # A step of 64 of 110: 64 x 28 faces, and 28 x 10 / 3 of validation: 1,885
    assert found[1] == "19 s"


def test_starting_queues_a_run_and_turns_to_it(
    training_page: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = training_page()
    app.number_input(key="set epochs").set_value(2)
    app.number_input(key="set model_options.depth").set_value(3)
    app.text_input(key="run name").set_value("mine").run()

    app.button(key="start").click().run()

    config = RunFolder(own_runs / "mine").config()
    assert (config.epochs, config.model_options, config.data) == (2, {"depth": 3}, "demo")
    assert observe(RunFolder(own_runs / "mine")).state == "queued"
    assert workers == [own_runs]
    assert app.button_group(key="view").value == "Runs"
    assert app.selectbox(key="run").value == "mine"
    assert "Waiting for its turn" in words(app)


def test_a_value_typed_just_before_the_click_is_what_starts(
    training_page: Opened, own_runs: Path, data: Path, workers: list[Path]
) -> None:
    app = training_page()
    app.text_input(key="run name").set_value("mine").run()
    app.number_input(key="set epochs").set_value(2)

    app.button(key="start").click().run()

    assert RunFolder(own_runs / "mine").config().epochs == 2


def test_adding_to_the_queue_starts_no_worker(
    training_page: Opened, data: Path, own_runs: Path, workers: list[Path]
) -> None:
    app = training_page()

    app.button(key="add to queue").click().run()

    assert observe(RunFolder(own_runs / "demo-gimefive-modern")).state == "queued"
    assert workers == []
    assert "Nobody works on the queue; 1 job waiting" in words(app)
    app.button(key="work").click().run()
    assert workers == [own_runs]


@pytest.mark.parametrize("name", ["", "../outside", "former"])
def test_a_name_that_cannot_be_forbids_the_start(
    training_page: Opened, data: Path, own_runs: Path, name: str
) -> None:
    trained(own_runs, "former", 0.5)
    app = training_page("New run")

    app.text_input(key="run name").set_value(name).run()

    assert app.button(key="start").disabled
    assert ":red[" in words(app)


def test_the_next_free_name_is_proposed(training_page: Opened, data: Path, own_runs: Path) -> None:
    trained(own_runs, "demo-gimefive-modern", 0.5)

    app = training_page("New run")

    assert app.text_input(key="run name").value == "demo-gimefive-modern-2"


def test_the_proposed_name_follows_data_and_network_until_one_is_typed(
    training_page: Opened, data: Path
) -> None:
    app = training_page()

    app.selectbox(key="set model").set_value("resnet14").run()
    assert app.text_input(key="run name").value == "demo-resnet14-modern"
    app.multiselect(key="set sources").set_value(["demo"]).run()
    app.number_input(key="set epochs").set_value(2).run()
    assert app.text_input(key="run name").value == "demo-resnet14-modern"

    app.text_input(key="run name").set_value("mine").run()
    app.selectbox(key="set model").set_value("vgg").run()
    assert app.text_input(key="run name").value == "mine"


def test_start_stands_above_the_settings(training_page: Opened, data: Path) -> None:
    keys = [getattr(element, "key", None) for element in training_page().main]

    assert keys.index("start") < keys.index("set data")


@pytest.mark.parametrize(
    ("sources", "class_set", "name"),
    [
        ((), "six", "demo"),
        (("demo",), "six", "demo"),
        (("raf_db",), "six", "RAF-DB"),
        (("raf_db", "fer2013"), "seven", "RAF-DB + FER2013, 7 classes"),
        (PAPER_SOURCES[1:], "six", "4 sets, without RAF-DB"),
        (("raf_db", "fer2013", "ck_plus"), "six", "3 sets, without FER AffectNet + TFEID"),
        (PAPER_SOURCES, "six", "5 sets"),
        (("mine", "raf_db", "fer2013"), "six", "3 sets"),
    ],
)
def test_the_data_of_a_run_are_named_so_short_that_nothing_is_cut(
    sources: tuple[str, ...], class_set: Literal["six", "seven"], name: str, own_runs: Path
) -> None:
    config = RunConfig(data="demo", sources=sources, class_set=class_set)

    assert store.data_name(config, own_runs / "own") == name


def test_a_shipped_run_that_names_no_image_sets_learned_from_all_of_the_paper(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.checkpoints.SHIPPED", own_runs)
    config = RunConfig(data="fer-gimefive-seven", class_set="seven")

    assert store.data_name(config, own_runs.resolve() / DEFAULT_CHECKPOINT) == "5 sets, 7 classes"


def test_a_run_is_found_by_an_image_set_that_its_short_name_leaves_out(own_runs: Path) -> None:
    runs = {"a": trained(own_runs, "a", 0.5, sources=PAPER_SOURCES[1:])}
    table = store.overview(runs)

    assert runs_view.arranged(table, "tfeid demo", "")["Run"].tolist() == ["a"]
    assert table["Data"].tolist() == ["4 sets, without RAF-DB"]


def test_actions_refuse_on_a_server_for_looking_only(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a browser may send: the buttons are not the lock."""
    from webapp.training import actions

    folder = trained(own_runs, "done", 0.3)
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    actions.delete(folder)
    actions.start("new", RunConfig(), now=True)

    assert [path.name for path in own_runs.iterdir()] == ["done"]
