"""Figures, order and pictures of a layer's channels."""

import numpy as np
import pytest

from core.drawing import heat_image
from core.explain import Layer
from webapp.charts.bars import value_bars
from webapp.layer_activations import channels, view

MAPS = np.array(
    [
        [[1.0, 1.0], [1.0, 1.0]],  # mean 1, peak 1
        [[-8.0, 0.0], [0.0, 2.0]],  # mean -1.5, peak -8
        [[0.0, 0.0], [0.0, 6.0]],  # mean 1.5, peak 6
    ],
    dtype=np.float32,
)


def test_figures_are_those_of_each_channel() -> None:
    found = channels.figures(MAPS)

    assert found.mean.tolist() == [1.0, -1.5, 1.5]
    assert found.peak.tolist() == [1.0, -8.0, 6.0]
    assert found.active.tolist() == [1.0, 0.25, 0.25]


@pytest.mark.parametrize(
    ("by", "expected"), [("mean", [2, 0, 1]), ("peak", [1, 2, 0]), ("number", [0, 1, 2])]
)
def test_channels_come_in_the_order_asked_for(by: channels.Order, expected: list[int]) -> None:
    assert channels.ordered(channels.figures(MAPS), by) == expected


def test_colours_have_two_sides_only_where_values_have() -> None:
    assert channels.colours_of(MAPS) == "diverging"
    assert channels.colours_of(MAPS[[0, 2]]) == "inferno"


def test_each_cell_is_a_square_of_one_colour() -> None:
    picture = channels.channel_picture(MAPS[2], 6.0, "inferno", 6)

    strongest = heat_image(np.ones((1, 1), np.float32), 1.0, 1, "inferno")[0, 0]
    nothing = heat_image(np.zeros((1, 1), np.float32), 1.0, 1, "inferno")[0, 0]
    assert picture.shape == (6, 6, 3)
    assert (picture[3:, 3:] == strongest).all()
    assert (picture[:3] == nothing).all()
    assert (picture[3:, :3] == nothing).all()


def test_the_table_has_a_row_a_channel() -> None:
    rows = channels.as_csv(channels.figures(MAPS)).splitlines()

    assert rows == [
        "channel,mean,peak,active",
        "0,1.0,1.0,1.0",
        "1,-1.5,-8.0,0.25",
        "2,1.5,6.0,0.25",
    ]


def test_a_layer_is_named_with_what_it_gives() -> None:
    assert view.title(Layer("a.conv", "Conv2d", (64, 32, 16), 1, True)) == (
        "a.conv: Conv2d, 64 channels of 32 x 16"
    )
    assert view.title(Layer("bn", "BatchNorm2d", (1, 8, 8), 2, True)) == (
        "bn: BatchNorm2d, 1 channel of 8 x 8, runs 2 times"
    )
    assert view.title(Layer("fc", "Linear", (2048,), 1, True)) == "fc: Linear, 2,048 values"


def test_only_layers_with_channels_can_be_browsed() -> None:
    kept = Layer("conv", "Conv2d", (4, 8, 8), 1, True)
    odd = Layer("split", "Split", (), 1, True)

    last = Layer("stem", "Sequential", (56, 56, 96), 1, False)  # channels last, as in Swin
    values = Layer("fc", "Linear", (6,), 1, False)

    assert view.browsable([kept, odd, last, values]) == [kept, values]


def test_few_values_are_named_and_many_are_numbered() -> None:
    few = value_bars([0.5, -1.0], ["anger", "fear"]).data[0]
    many = value_bars([0.5] * 30, [f"channel {n}" for n in range(30)]).data[0]

    assert (list(few.x), list(few.y), list(few.text)) == (
        ["anger", "fear"],
        [0.5, -1.0],
        ["0.50", "-1.00"],
    )
    assert list(many.x) == list(range(30))
    assert many.text is None
