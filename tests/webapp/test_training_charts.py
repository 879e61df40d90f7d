"""Curves of runs have axes that can be read: whole epochs, digits enough, rates as people write."""

from typing import Any

import pytest

from core.labels import COLOURS
from webapp.charts import training as charts


def line(epoch: int, accuracy: float, seconds: float = 60.0) -> dict[str, Any]:
    return {
        "epoch": epoch, "train_loss": 1.0, "valid_loss": 1.2, "train_accuracy": accuracy - 0.01,
        "valid_accuracy": accuracy, "valid_macro_f1": accuracy, "learning_rate": 3e-4,
        "seconds": seconds,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "form"),
    [([0.2, 0.9], ".0%"), ([0.64, 0.655], ".1%"), ([0.6401, 0.6409], ".2%"), ([0.5], ".1%")],
)
def test_an_axis_of_shares_has_the_decimals_that_tell_its_ticks_apart(
    values: list[float], form: str
) -> None:
    assert charts.share_format(values) == form


def test_an_axis_of_losses_has_the_same_digits_at_every_tick() -> None:
    assert charts.number_format([0.9, 1.5]) == ".1f"
    assert charts.number_format([0.91, 0.94]) == ".3f"


@pytest.mark.parametrize(
    ("last", "step"), [(0.3, 1), (3, 1), (6, 1), (7, 2), (30, 5), (100, 20), (10_000, 2000)]
)
def test_ticks_stand_at_whole_epochs(last: float, step: int) -> None:
    assert charts.epoch_step(last) == step


def test_the_axis_of_three_epochs_has_no_half_ones() -> None:
    figure = charts.accuracy_curves([line(1, 0.5), line(2, 0.6), line(3, 0.7)], "run")

    assert (figure.layout.xaxis.tick0, figure.layout.xaxis.dtick) == (0, 1)


def test_a_learning_rate_is_written_as_a_power_of_ten() -> None:
    axis = charts.rate_curve([], [line(1, 0.5)], "run").layout.yaxis

    assert axis.exponentformat == "e"


def test_training_and_validation_have_no_expressions_colours() -> None:
    figure = charts.loss_curves([line(1, 0.5)], "run")

    drawn = {trace.line.color for trace in figure.data} | set(charts.RUN_COLOURS[:-1])
    assert not drawn & set(COLOURS.values())
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_runs_lie_over_each_other_by_the_minutes_they_had_trained() -> None:
    runs = {"quick": [line(1, 0.5, 30), line(2, 0.6, 30)], "slow": [line(1, 0.7, 300)]}

    quick, slow = charts.overlay(runs, "valid_accuracy", by_time=True).data
    by_epoch = charts.overlay(runs, "valid_accuracy").data[0]

    assert (list(quick.x), list(slow.x)) == ([0.5, 1.0], [5.0])
    assert list(by_epoch.x) == [1, 2]


@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_is_a_gap(lost: float) -> None:
    lines = [line(1, 0.5), line(2, 0.5) | {"valid_loss": lost, "train_loss": lost}, line(3, 0.6)]

    curves = [
        *charts.loss_curves(lines, "run").data,
        *charts.overlay({"run": lines}, "valid_loss").data,
    ]
    batches = charts.batch_loss_curve([{"at": 1, "loss": 2.0}, {"at": 2, "loss": lost}], "run")

    assert [list(curve.y) for curve in curves] == [
        [1.0, None, 1.0],
        [1.2, None, 1.2],
        [1.2, None, 1.2],
    ]
    assert list(batches.data[0].y) == [2.0, None]
    assert charts.overlay({"run": lines[1:2]}, "valid_loss").layout.yaxis.tickformat == ".1f"
