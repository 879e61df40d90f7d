"""The training page shows runs: states, curves, buttons, comparison; and may only show."""

import json
import re
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block
from training_pages import TINY, Opened, charts, labels, trained, words

from core.checkpoints import DEFAULT_CHECKPOINT
from core.files import write_json
from core.process import ProcessId
from core.training import (
    RunConfig,
    WorkerLock,
    add_run,
    observe,
)
from webapp.training import actions, compare_view, runs_view, store


def stacked(app: AppTest) -> list[list[list[str]]]:
    """The cells of the tables that are drawn as HTML, their heads first."""
    bodies = [html.proto.body for html in app.get("html") if "<table>" in html.proto.body]
    return [
        [re.findall(r">([^<]+)</t[hd]>", row) for row in body.split("<tr>")[1:]] for body in bodies
    ]


def test_a_finished_run_shows_its_curves_and_figures(training_page: Opened, own_runs: Path) -> None:
    trained(own_runs, "done", 0.3, 0.6, 0.45)

    app = training_page()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Epochs done"] == "3 of 5"
    assert metrics["Best validation accuracy, epoch 2"] == "60.0 %"
    assert metrics["Time taken"] == "3 min"
    losses, accuracies, batches, rates = charts(app)
    assert losses["data"][0]["y"] == [1.7, 1.4, 1.55]
    assert accuracies["data"][1]["y"] == [0.3, 0.6, 0.45]
    assert batches["data"][0]["y"] == pytest.approx([1.2, 0.9, 1.05])
    assert rates["data"][0]["x"] == [1, 2, 3]
    assert "Resume" not in labels(app)


def test_a_run_keeps_its_place_whatever_stands_above_it(
    training_page: Opened, own_runs: Path
) -> None:
    def place(app: AppTest) -> list[int]:
        parts = app.main.children.items()
        return [number for number, part in parts if isinstance(part, Block) and part.metric]

    trained(own_runs, "done", 0.3)
    quiet = place(training_page(run="done"))
    add_run(own_runs, "next", RunConfig(data="demo", epochs=5, model_options=TINY))
    app = training_page(run="done")

    # Streamlit tells a part that is drawn by itself by its place: one that moved lost its clock.
    assert "1 job waiting" in words(app)
    assert place(app) == quiet


def test_a_start_that_no_epoch_beat_is_told(training_page: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "tuned", 0.3, 0.6)
    kept = {"epoch": 0, "valid_loss": 1.0, "valid_accuracy": 0.7, "valid_macro_f1": 0.5}
    folder.card.write_text(json.dumps({"metrics": kept}))

    app = training_page()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Best validation accuracy, at its start"] == "70.0 %"
    assert metrics["Its macro-F1"] == "50.0 %"
    assert app.dataframe[0].value["Best %"].tolist() == [70.0]


def test_a_running_run_shows_where_it_is(training_page: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "now", 0.3, state="running")
    folder.set_progress(
        epoch=2, epochs=5, step=7, steps=10, share=0.34, faces_per_second=123.4, eta_seconds=4805,
        time=time.time(),
    )  # fmt: skip

    app = training_page()

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Faces a second"] == "123"
    assert metrics["Time left"] == "1 h 20 min"
    assert "Epoch 2 of 5, batch 7 of 10." in words(app)
    assert [bar.proto.value for bar in app.get("progress")] == [34]
    assert "Starting the worker" not in words(app)
    assert "Stop" in labels(app)
    assert "Resume" not in labels(app)

    app.button(key="stop").click().run()
    assert folder.stop_request.exists()


def test_nothing_of_an_earlier_start_is_shown_until_the_worker_has_started(
    training_page: Opened, own_runs: Path
) -> None:
    folder = trained(own_runs, "again", state="running")
    folder.set_progress(
        epoch=1, epochs=5, step=9, steps=10, share=0.18, faces_per_second=123.4, eta_seconds=4805,
        time=time.time() - 60,
    )  # fmt: skip

    app = training_page()

    assert "Starting the worker …" in words(app)
    assert "batch 9 of 10" not in words(app)
    assert [bar.proto.value for bar in app.get("progress")] == [0]
    assert [metric.label for metric in app.metric] == ["Epochs done"]


def test_a_batch_of_an_epoch_that_has_ended_is_no_longer_shown(own_runs: Path) -> None:
    folder = trained(own_runs, "between", 0.3, state="running")
    folder.set_progress(
        epoch=1, epochs=5, step=9, steps=10, share=0.18, faces_per_second=123.4, eta_seconds=4805,
        time=time.time(),
    )  # fmt: skip

    found = store.read(folder)

    assert (found.now, found.doing, found.share) == ({}, "Epoch 1 of 5 is done.", 0.2)


def test_runs_are_found_by_words_and_put_in_order(own_runs: Path) -> None:
    runs = {
        name: trained(own_runs, name, 0.5, model=model, data=data)
        for name, model, data in (
            ("one", "resnet14", "demo"), ("two", "gimefive", "mine"), ("three", "resnet14", "mine")
        )
    }  # fmt: skip
    table = store.overview(runs)

    found = runs_view.arranged(table, "MINE resnet", "")
    grouped = runs_view.arranged(table, "", "Data")

    assert found["Run"].tolist() == ["three"]
    assert grouped["Run"].tolist() == ["one", "two", "three"]
    # On a phone three columns are seen: the name, the figure, and what the order is by.
    assert list(grouped)[:3] == ["Best %", "Title", "Data"]
    assert list(runs_view.arranged(table, "", "Network"))[:3] == ["Best %", "Title", "Network"]


def test_networks_joined_as_they_were_have_no_epochs_to_count(
    training_page: Opened, own_runs: Path
) -> None:
    folder = trained(own_runs, "joined", epochs=0, initial="one+other")

    app = training_page()

    assert store.overview({"joined": folder})["Epochs"].tolist() == ["none"]
    assert [metric.value for metric in app.metric if metric.label == "Epochs done"] == ["none"]
    assert "joined or averaged" in words(app)


def test_what_came_with_the_app_is_not_deleted(
    training_page: Opened, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = trained(own_runs, DEFAULT_CHECKPOINT, 0.5)
    trained(own_runs, "own", 0.5)
    monkeypatch.setattr("core.checkpoints.SHIPPED", own_runs)

    app = training_page(run=DEFAULT_CHECKPOINT)
    assert not [button for button in app.button if button.key == "delete"]
    app.selectbox(key="run").set_value("own").run()
    assert [button for button in app.button if button.key == "delete"]
    actions.delete(folder)

    assert folder.path.is_dir()


def test_a_link_to_a_run_that_is_not_here_says_so(training_page: Opened, own_runs: Path) -> None:
    trained(own_runs, "there", 0.5)

    app = training_page(run="nonsense")

    assert "'nonsense', which is not here" in app.warning[0].value


def test_runs_judged_on_few_pictures_are_compared_with_a_caution(
    training_page: Opened, own_runs: Path
) -> None:
    for name in ("one", "two"):
        folder = trained(own_runs, name, 0.5)
        write_json(folder.path / "card.json", {"data": {"valid": 10}})

    (warning,) = training_page("Compare").warning

    # 1.96 standard errors of a difference of two shares of one half: 1.96 * sqrt(2 * .25 / 10).
    assert "10 validation pictures: chance alone may set two networks 44 points" in warning.value


def test_a_failed_run_gives_its_reason_and_can_be_resumed(
    training_page: Opened, own_runs: Path, workers: list[Path]
) -> None:
    folder = trained(own_runs, "broken", 0.3, state="failed")
    app = training_page()
    assert "for a reason" in [error.value for error in app.error]

    app.button(key="resume").click().run()

    assert observe(folder).state == "queued"
    assert workers == [own_runs]


def test_a_run_whose_process_is_gone_is_interrupted(training_page: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "gone", 0.3)
    folder.set_status("running", **ProcessId(2**22 + 1, 1.0, ProcessId.of().host).to_json())

    app = training_page()

    assert "process is gone" in words(app)
    assert {"Stop", "Resume"} <= set(labels(app))


def test_deleting_asks_first(training_page: Opened, own_runs: Path) -> None:
    folder = trained(own_runs, "old", 0.3)
    trained(own_runs, "other", 0.3)
    app = training_page(run="old")
    assert folder.path.exists()

    app.button(key="delete").click().run()
    assert [toast.value for toast in app.toast if "deleted" in toast.value]

    assert not folder.path.exists()
    assert app.selectbox(key="run").options == ["other"]


def test_a_link_leads_to_its_run(training_page: Opened, own_runs: Path) -> None:
    for name in ("first", "second"):
        trained(own_runs, name, 0.3)

    assert training_page(run="first").selectbox(key="run").value == "first"


def test_settings_of_a_run_fill_the_form(training_page: Opened, data: Path, own_runs: Path) -> None:
    trained(own_runs, "former", 0.3, learning_rate=0.02, sources=("demo",))
    app = training_page()

    app.button(key="reuse").click().run()

    assert app.button_group(key="view").value == "New run"
    assert app.number_input(key="set learning_rate").value == 0.02
    assert app.number_input(key="set model_options.depth").value == 2
    assert app.multiselect(key="set sources").value == ["demo"]
    assert app.text_input(key="run name").value == "former-2"


def test_a_worker_that_was_killed_is_started_again(
    training_page: Opened, own_runs: Path, workers: list[Path]
) -> None:
    lock = WorkerLock(own_runs)
    lock.folder.mkdir()
    lock.path.write_text('{"pid": 1, "state": "working"}')

    training_page()

    assert workers
    assert set(workers) == {own_runs}


def test_runs_are_laid_over_each_other_and_their_settings_compared(
    training_page: Opened, own_runs: Path
) -> None:
    trained(own_runs, "a", 0.3, 0.6)
    trained(own_runs, "b", 0.4, 0.5, learning_rate=0.01, model_options={"depth": 3, "width": 4})

    app = training_page("Compare")

    assert app.multiselect(key="runs").value == ["b", "a"]
    accuracy, loss = charts(app)
    assert {line["name"]: line["y"] for line in accuracy["data"]} == {
        "a": [0.3, 0.6],
        "b": [0.4, 0.5],
    }
    assert loss["data"][1]["y"] == pytest.approx([1.6, 1.3])
    assert not app.warning
    # The figure that decides stands first, and nothing is cut: the cells wrap.
    best, table = stacked(app)
    assert [row[:2] for row in best] == [["Run", "Validation %"], ["b", "50.0"], ["a", "60.0"]]
    assert table == [
        ["Setting", "b", "a"],
        ["learning_rate", "0.01", "0.05"],
        ["model_options.depth", "3", "2"],
    ]

    app.multiselect(key="figures").set_value(["train_loss"]).run()
    app.button_group(key="along").set_value("time").run()
    (figure,) = charts(app)
    assert [line["x"] for line in figure["data"]] == [[1.0, 2.0], [1.0, 2.0]]  # minutes


def test_compared_runs_go_by_their_titles(training_page: Opened, own_runs: Path) -> None:
    for name, title in (("a", "Small"), ("b", "Twice"), ("c", "Twice")):
        folder = trained(own_runs, name, 0.3, learning_rate=0.01 + ord(name) / 1000)
        card = json.loads(folder.card.read_text()) if folder.card.exists() else {}
        folder.card.write_text(json.dumps({**card, "title": title}))

    app = training_page("Compare")
    app.multiselect(key="runs").set_value(["a", "b", "c"]).run()

    names = {"Small", "Twice (b)", "Twice (c)"}
    assert {line["name"] for line in charts(app)[0]["data"]} == names
    best, table = stacked(app)
    assert {row[0] for row in best[1:]} == names
    assert set(table[0]) == {"Setting", *names}


def test_what_runs_are_called_stays_text() -> None:
    html = compare_view.stacked_table("Run", {"<b>": {"Loss": "1 & 2"}})

    assert '<th class="name" scope="row">&lt;b&gt;</th><td title="Loss">1 &amp; 2</td>' in html


def test_runs_on_different_data_are_not_ranked(training_page: Opened, own_runs: Path) -> None:
    trained(own_runs, "a", 0.3, 0.6)
    trained(own_runs, "b", 0.4, 0.5, data="other")

    (warning,) = training_page("Compare").warning

    assert "differ in their data (data)" in warning.value


def test_one_run_cannot_be_compared(training_page: Opened, own_runs: Path) -> None:
    trained(own_runs, "a", 0.3)

    assert "Two runs" in words(training_page("Compare"))


def test_a_server_for_looking_only_starts_and_stops_nothing(
    training_page: Opened, data: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    trained(own_runs, "done", 0.3)
    add_run(own_runs, "waits", RunConfig(data="demo"))
    for view in ("Runs", "New run", "Compare", "Search"):
        app = training_page(view)

        assert "read-only" in words(app)
        forbidden = {"Start", "Add to queue", "Stop", "Resume", "Work on the queue",
                     "Delete for good", "Start the search", "Measure the speed here"}  # fmt: skip
        assert forbidden.isdisjoint(labels(app))
