"""The bars of one face."""

import numpy as np

from core import EMOTIONS, Prediction
from core.labels import COLOURS
from webapp.charts.bars import probability_bars


def test_each_class_has_its_bar_its_colour_and_its_number() -> None:
    shares = np.array([0.5, 0.25, 0.125, 0.0625, 0.0525, 0.01])

    bars = probability_bars(Prediction(EMOTIONS, shares, np.log(shares))).data[0]

    assert tuple(bars.y) == EMOTIONS
    assert list(bars.x) == shares.tolist()
    assert list(bars.marker.color) == [COLOURS[label] for label in EMOTIONS]
    assert list(bars.text) == ["50.0 %", "25.0 %", "12.5 %", "6.2 %", "5.2 %", "1.0 %"]


def test_the_axis_is_the_same_for_every_face() -> None:
    sure = probability_bars(Prediction(("a", "b"), np.array([1.0, 0.0]), np.zeros(2)))
    unsure = probability_bars(Prediction(("a", "b"), np.array([0.5, 0.5]), np.zeros(2)))

    assert sure.layout.xaxis.range == unsure.layout.xaxis.range
    assert sure.layout.xaxis.range[0] == 0
    assert sure.layout.xaxis.range[1] > 1
