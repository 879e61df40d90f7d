"""Figures about explanations hold the numbers they were given."""

import numpy as np
import pytest
from made_faithfulness import made_report

from core.faithfulness.table import faithfulness_rows
from webapp.charts.faithfulness import (
    BOTH,
    CONTROL,
    FALLS,
    WEIGHTLESS,
    mean_told,
    method_gap_dots,
    region_heat,
    verdict_of,
)


def test_bars_are_ordered_by_gap_with_the_controls_among_them() -> None:
    figure = method_gap_dots(faithfulness_rows(made_report()))

    order = list(figure.layout.yaxis.categoryarray)
    assert order[-1] == "HiResCAM"
    assert order.index("Control: a fixed blob in the middle") > order.index("Grad-CAM")


def test_a_bar_has_the_ends_of_its_interval() -> None:
    beats, weightless, falls, controls = method_gap_dots(faithfulness_rows(made_report())).data

    assert [list(one.y) for one in (beats, weightless)] == [["HiResCAM"], ["Layer-CAM"]]
    assert list(falls.y) == ["Grad-CAM"]
    assert len(controls.y) == 3
    assert [*weightless.x, *beats.x] == [0.25, 0.3]
    for one in (beats, weightless):
        assert list(one.error_x.array) == pytest.approx([0.05])
        assert list(one.error_x.arrayminus) == pytest.approx([0.05])
    looks = {(one.marker.color, one.marker.symbol) for one in (beats, weightless, falls, controls)}
    assert len(looks) == 4


@pytest.mark.parametrize(
    ("verdict", "sanity", "expected"),
    [
        ("beats its controls", "passes", BOTH),
        ("beats its controls", "partly", WEIGHTLESS),
        ("beats its controls", "fails", WEIGHTLESS),
        ("does not beat its controls", "passes", FALLS),
        (None, None, CONTROL),
    ],
)
def test_a_method_whose_maps_hardly_need_the_weights_does_not_pass_for_true(
    verdict: str | None, sanity: str | None, expected: str
) -> None:
    assert verdict_of({"verdict": verdict, "sanity": sanity}) == expected


def test_a_cell_says_its_mean_in_percent_and_its_interval_on_hover() -> None:
    heat = region_heat(
        [[[0.3, 0.25, 0.35], None, [-0.001, -0.1, 0.1]]], ["mouth"], ["happiness", "fear", "anger"]
    ).data[0]

    assert list(heat.text[0]) == ["30.0", "-", "-0.1"]
    assert list(heat.customdata[0]) == ["30.0 (25.0 to 35.0)", "-", "-0.1 (-10.0 to 10.0)"]
    assert heat.textfont.size >= 11
    assert heat.z[0][0] == pytest.approx(30)
    assert np.isnan(heat.z[0][1])
    assert (heat.zmin, heat.zmax) == (-30, 30)


def test_lifts_have_their_middle_at_one() -> None:
    heat = region_heat(
        [[[2.0, 1.6, 2.4]], [[0.5, 0.4, 0.6]]], ["a", "b"], ["c"], factor=1, middle=1
    ).data[0]

    assert heat.text[0][0] == "2.0"
    assert heat.customdata[0][0] == "2.0 (1.6 to 2.4)"
    assert (heat.zmin, heat.zmax) == (0, 2)


def test_a_mean_that_rounds_to_zero_has_no_minus() -> None:
    assert mean_told([-0.0004, -0.0021, 0.0004], 100, ends=True) == "0.0 (-0.2 to 0.0)"


def test_without_any_number_the_table_is_empty() -> None:
    heat = region_heat([[None]], ["a"], ["c"]).data[0]

    assert heat.text[0][0] == "-"
