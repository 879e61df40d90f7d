"""How long a run will take: worked out by hand, taken from runs, or measured."""

from pathlib import Path

import pytest

from core.errors import TrainingError
from core.training import RunConfig, RunFolder, preset
from core.training.throughput import Speed, known_speed, measured_speed, run_seconds

SPEED = Speed(100.0, "")


def finished(root: Path, name: str, config: RunConfig, *speeds: float, side: int = 64) -> RunFolder:
    folder = RunFolder(root / name)
    folder.create(config)
    for epoch, speed in enumerate(speeds, start=1):
        folder.append_metrics({"epoch": epoch, "faces_per_second": speed, "side": side})
    folder.set_status("finished")
    return folder


def test_the_time_is_steps_and_a_third_of_each_validation_face() -> None:
    config = RunConfig(epochs=10, batch_size=30)

    # 33 steps of 30 faces, and 300 / 3 for validation, ten times over
    assert run_seconds(config, 1000, 300, SPEED, 64) == pytest.approx((990 + 100) * 10 / 100)


def test_smaller_pictures_cost_by_their_area() -> None:
    config = RunConfig(epochs=10, batch_size=10, start_side=32, grow_until=0.4)

    assert run_seconds(config, 1000, 0, SPEED, 64) == pytest.approx(1000 * (6 + 4 / 4) / 100)


def test_a_part_smaller_than_a_batch_is_one_step() -> None:
    assert run_seconds(RunConfig(epochs=1, batch_size=64), 20, 0, SPEED, 64) == 0.2


def test_the_speed_of_an_equal_run_is_known(own_runs: Path) -> None:
    config = preset("rafdb-gimefive-modern")
    finished(own_runs, "small", config, 500.0, side=48)
    finished(own_runs, "other", config.replaced(batch_size=8), 900.0)
    finished(own_runs, "equal", config.replaced(learning_rate=0.01, epochs=3), 90.0, 110.0, 99.0)

    speed = known_speed(own_runs, config, 64)

    assert speed == Speed(99.0, "as in run equal")


@pytest.mark.parametrize("start_side", [0, 32, 64])
def test_epochs_of_smaller_pictures_say_nothing_of_the_full_side(
    own_runs: Path, start_side: int
) -> None:
    grown = RunConfig(start_side=32, grow_until=0.5)
    folder = finished(own_runs, "grown", grown, 610.0, 605.0, 600.0, side=32)
    folder.append_metrics({"epoch": 4, "faces_per_second": 365.0, "side": 64})

    asked = RunConfig(start_side=start_side)

    assert known_speed(own_runs, asked, 64) == Speed(365.0, "as in run grown")


def test_a_damaged_run_does_not_hide_the_others(own_runs: Path) -> None:
    config = preset("rafdb-gimefive-modern")
    finished(own_runs, "equal", config, 90.0)
    for name in ("before", "zero"):  # whatever the order
        (finished(own_runs, name, config, 50.0).path / "config.json").write_text("{")

    assert known_speed(own_runs, config, 64) == Speed(90.0, "as in run equal")


def test_a_measurement_that_takes_too_long_is_given_up(
    own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.training.throughput.GIVEN_UP", 0.01)

    with pytest.raises(TrainingError, match="could not be measured within"):
        measured_speed(RunConfig())


def test_runs_of_other_machines_say_nothing(own_runs: Path) -> None:
    folder = finished(own_runs, "run", RunConfig(), 90.0)
    folder.set_status("finished", host="elsewhere")

    assert known_speed(own_runs, RunConfig(), 64) is None


@pytest.mark.slow
def test_a_measurement_is_kept(
    own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path / "cache"))
    tiny = RunConfig(
        model_options={"depth": 2, "width": 4}, batch_size=8, precision="32-true", accelerator="cpu"
    )
    assert known_speed(own_runs, tiny, 64) is None

    speed = measured_speed(tiny)

    assert speed.faces_per_second > 1
    assert known_speed(own_runs, tiny, 64) == speed
    assert known_speed(own_runs, tiny.replaced(batch_size=9), 64) is None


def test_a_measurement_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunConfig, "to_json", lambda config: {"batch_size": 0})  # soon refused

    with pytest.raises(TrainingError, match=r"could not be measured: .*batch_size"):
        measured_speed(RunConfig())
