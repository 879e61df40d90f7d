"""The bars of one face."""

import re

from core import EMOTIONS
from core.labels import COLOURS
from webapp.charts.bars import probability_bars


def test_each_class_has_its_bar_its_colour_and_its_number() -> None:
    drawn = probability_bars(EMOTIONS, [0.5, 0.25, 0.125, 0.0625, 0.0525, 0.01])

    lengths = re.findall(r"width:([\d.]+)%;height:100%;background:(#\w+)", drawn)
    assert lengths == list(
        zip(
            ["50.0", "25.0", "12.5", "6.2", "5.2", "1.0"],
            [COLOURS[label] for label in EMOTIONS],
            strict=True,
        )
    )
    assert re.findall(r">([\d.]+ %)<", drawn) == [
        "50.0 %", "25.0 %", "12.5 %", "6.2 %", "5.2 %", "1.0 %",
    ]  # fmt: skip
    assert [drawn.index(f">{label}<") for label in EMOTIONS] == sorted(
        drawn.index(f">{label}<") for label in EMOTIONS
    )


def test_names_of_a_stranger_s_classes_are_text_in_the_colour_of_neutral() -> None:
    drawn = probability_bars(["anger", "<b>"], [0.25, 0.75], small=True)

    found = re.findall(r"width:([\d.]+)%;height:100%;background:(#\w+)", drawn)
    assert found == [("25.0", "#D55E00"), ("75.0", "#8A8A8A")]
    assert "&lt;b&gt;" in drawn
