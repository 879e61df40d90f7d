"""Figures of the results page hold the numbers they were given."""

import numpy as np
import pytest

from webapp.charts.results import (
    confusion_heat,
    difference_heat,
    reliability_chart,
    risk_coverage_chart,
    row_shares,
    strata_chart,
)

LABELS = ("happiness", "fear")
COUNTS = [[30, 10], [1, 3]]


def test_counts_are_written_in_their_cells() -> None:
    heat = confusion_heat(COUNTS, LABELS, "counts", "A run").data[0]

    assert [list(row) for row in heat.text] == [["30", "10"], ["1", "3"]]
    np.testing.assert_allclose(np.square(heat.z), [[0.75, 0.25], [0.25, 0.75]])


def test_shares_are_of_the_row() -> None:
    heat = confusion_heat(COUNTS, LABELS, "shares", "A run").data[0]

    assert [list(row) for row in heat.text] == [["75.0", "25.0"], ["25.0", "75.0"]]


def test_every_cell_has_a_marker_that_says_which_it_is() -> None:
    markers = confusion_heat(COUNTS, LABELS, "counts", "A run").data[1]

    places = [
        (y, x, list(data))
        for x, y, data in zip(markers.x, markers.y, markers.customdata, strict=True)
    ]
    assert places == [(true, answer, [true, answer]) for true in LABELS for answer in LABELS]
    assert "10 of 40 images, 25.0 %" in markers.text[1]
    assert 0 < markers.marker.opacity < 0.05


def test_the_first_class_is_on_top_and_markers_do_not_pad_the_axes() -> None:
    layout = confusion_heat(COUNTS, LABELS, "counts", "A run").layout

    assert tuple(layout.yaxis.range) == (1.5, -0.5)
    assert tuple(layout.xaxis.range) == (-0.5, 1.5)


def test_a_class_without_images_has_shares_of_zero() -> None:
    assert row_shares(np.array([[0, 0], [1, 3]])).tolist() == [[0.0, 0.0], [0.25, 0.75]]


def test_the_difference_is_in_points_of_the_rows() -> None:
    heat = difference_heat(COUNTS, [[20, 20], [1, 3]], LABELS).data[0]

    assert [list(row) for row in heat.text] == [["+25.0", "-25.0"], ["+0.0", "+0.0"]]
    assert heat.zmax == -heat.zmin == pytest.approx(25.0)


def test_empty_bins_have_no_bar() -> None:
    bins = [
        {"low": 0.0, "high": 0.5, "n": 0, "confidence": 0.0, "accuracy": 0.0},
        {"low": 0.5, "high": 1.0, "n": 8, "confidence": 0.8, "accuracy": 0.75},
    ]

    bar = reliability_chart(bins).data[0]

    assert (list(bar.x), list(bar.y), list(bar.width)) == ([0.75], [0.75], [0.5])


def test_the_threshold_in_use_is_marked_on_the_curve() -> None:
    curve = {"coverage": [0.5, 1.0], "accuracy": [0.95, 0.85], "threshold": [0.8, 0.3]}

    line, point = risk_coverage_chart(curve, threshold=0.62, coverage=0.8, accuracy=0.9).data

    assert list(line.y) == [0.95, 0.85]
    assert (list(point.x), list(point.y)) == ([0.8], [0.9])
    assert "62.0 %" in point.name


def test_without_an_answered_image_no_point_is_marked() -> None:
    curve = {"coverage": [1.0], "accuracy": [0.5], "threshold": [0.3]}

    assert len(risk_coverage_chart(curve, threshold=1.0, coverage=0.0, accuracy=None).data) == 1


def stratum(name: str, faces: int, *values: float | None) -> dict[str, object]:
    return {
        "stratum": name,
        "faces": faces,
        **dict(zip(("accuracy", "accuracy_low", "accuracy_high"), values, strict=True)),
    }


def test_strata_are_dots_with_intervals_the_first_on_top() -> None:
    rows = [
        stratum("dark", 20, 0.5, 0.25, 0.75),
        stratum("lonely", 0, None, 0.0, 1.0),
        stratum("", 1234, 0.875, 0.75, 1.0),
    ]

    figure = strata_chart(rows, "accuracy", "right")

    named, none = figure.data
    assert (list(named.x), list(named.y)) == ([0.5], ["dark (20)"])
    assert (list(named.error_x.array), list(named.error_x.arrayminus)) == ([0.25], [0.25])
    assert (list(none.x), list(none.y)) == ([0.875], ["in none (1,234)"])
    assert list(none.error_x.array) == [0.125]
    assert named.marker.color != none.marker.color
    assert list(figure.layout.yaxis.categoryarray) == [
        "in none (1,234)",
        "lonely (0)",
        "dark (20)",
    ]


def test_a_figure_without_an_interval_is_a_bare_dot() -> None:
    named, _ = strata_chart(
        [stratum("dark", 3, 0.5, None, None)], "accuracy", "gap", is_share=False
    ).data

    assert list(named.error_x.array) == list(named.error_x.arrayminus) == [0.0]
    assert "+.3f" in named.hovertemplate


def test_what_the_mix_of_expressions_lets_expect_is_marked() -> None:
    rows = [
        {**stratum("dark", 20, 0.5, 0.25, 0.75), "expected": 0.625},
        {**stratum("", 3, 0.5, 0.25, 0.75), "expected": None},
    ]

    *_, expected = strata_chart(rows, "accuracy", "right", expected=True).data

    assert (list(expected.x), list(expected.y)) == ([0.625], ["dark (20)"])
    assert "expected" in expected.name
