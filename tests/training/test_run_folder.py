"""The folder that all programs read: names, states, half-written lines."""

from pathlib import Path

import pytest

from core.errors import CheckpointError, ConfigError
from core.process import ProcessId
from core.training import RunConfig, RunFolder, run_training


@pytest.mark.parametrize("name", ["", "..", "a/b", "/tmp/x", ".hidden", "a" * 81, "a b"])
def test_a_name_that_could_leave_the_root_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="run name"):
        RunFolder.named(tmp_path, name)


@pytest.mark.parametrize("name", ["default", "Default", "facts", "dlib-face-recognition"])
def test_a_name_that_stands_for_something_else_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="Choose another name"):
        RunFolder.unused(tmp_path, name)
    if name != "facts":  # one that has it from before can be stopped, gone on with and deleted
        with pytest.raises(ConfigError, match="stands for a network"):
            run_training(RunConfig(), RunFolder(tmp_path / name), new=True)
        assert list(tmp_path.iterdir()) == []
        RunFolder.named(tmp_path, name)


def test_configuration_and_status_come_back(tmp_path: Path) -> None:
    folder = RunFolder.named(tmp_path, "run-1.a")
    folder.create(RunConfig(epochs=7))
    folder.set_status("failed", "The disk is full.")

    assert folder.config().epochs == 7
    assert (folder.status()["state"], folder.status()["reason"]) == ("failed", "The disk is full.")


def test_a_folder_without_files_is_unknown_and_no_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)

    assert folder.status()["state"] == "unknown"
    assert list(folder.history()) == []
    with pytest.raises(CheckpointError, match="no config"):
        folder.config()


def test_the_kept_figures_are_the_card_s_or_the_best_epoch_s(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.kept() == {}

    for epoch, accuracy in ((1, 0.4), (2, 0.6), (3, 0.5)):
        folder.append_metrics(
            {"epoch": epoch, "valid_accuracy": accuracy, "valid_macro_f1": accuracy}
        )
    assert folder.kept()["epoch"] == 2

    folder.card.write_text(
        '{"metrics": {"epoch": 0, "valid_accuracy": 0.7, "valid_macro_f1": 0.6}}'
    )
    assert folder.kept()["epoch"] == 0

    folder.card.write_text('{"metr')
    assert folder.kept()["epoch"] == 2


def test_history_ignores_a_half_written_line(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append_metrics({"epoch": 1})
    with folder.metrics.open("a") as file:
        file.write('{"epoch": 2, "train')

    assert list(folder.history()) == [{"epoch": 1}]


def test_forgetting_keeps_the_epochs_that_are_saved(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for epoch in (1, 2, 3):
        folder.append_metrics({"epoch": epoch})

    folder.forget_after(2)

    assert [line["epoch"] for line in folder.history()] == [1, 2]


def test_a_damaged_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"epochs": "many"}')

    with pytest.raises(CheckpointError, match="epochs"):
        RunFolder(tmp_path).config()


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    assert RunFolder.unused(tmp_path, "run").path == tmp_path / "run"

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "card.json").write_text("{}")

    with pytest.raises(ConfigError, match="A run or search named 'run' exists"):
        RunFolder.unused(tmp_path, "run")


def test_a_run_that_ended_before_its_first_file_takes_no_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    for name in (".claim", "job.json", "status.json"):
        (folder.path / name).write_text("{}")
    temporary = ProcessId(2**22 + 1, 1.0).token
    (folder.path / f".config.json.{temporary}-0123abcd.tmp").write_text("half")

    assert RunFolder.unused(tmp_path, "run") == folder
    folder.forget_attempt()
    assert not (folder.path / "job.json").exists()


@pytest.mark.parametrize(
    ("state", "more", "taken"),
    [("failed", "output.log", False), ("failed", "last.pt", True), ("failed", "card.json", True),
     ("queued", "output.log", True), ("stopped", "output.log", True)],
)  # fmt: skip
def test_a_run_that_failed_before_its_first_step_takes_no_name(
    tmp_path: Path, state: str, more: str, taken: bool
) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create(RunConfig())
    folder.set_status(state, "No such source.")
    (folder.path / more).write_text("")

    assert folder.is_taken == taken
