"""Strongest places: where they are, and whose evidence they hold."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.drawing.outlines import GRID, Place, draw_places, strongest_places

RIM = 4  # cells of the grid that averaging may add
Map = NDArray[np.float32]


def planted(*blobs: tuple[int, int, int, int, float]) -> Map:
    """A grid with evenly strong rectangles: top, left, height, width, value."""
    values = np.zeros((GRID, GRID), dtype=np.float32)
    for top, left, height, width, value in blobs:
        values[top : top + height, left : left + width] = value
    return values


def holds(place: Place, row: float, column: float) -> bool:
    """Whether a cell's middle lies inside the edge."""
    edge = (place.points * GRID - 0.5)[:, None]
    return cv2.pointPolygonTest(edge, (float(column), float(row)), measureDist=False) > 0


def test_the_edge_encloses_the_blob_and_little_more() -> None:
    (place,) = strongest_places(planted((20, 30, 8, 14, 1.0)))

    inside = {(row, column) for row in range(GRID) for column in range(GRID)}
    inside = {cell for cell in inside if holds(place, *cell)}
    assert not place.against
    assert inside >= {(row, column) for row in range(20, 28) for column in range(30, 44)}
    rows, columns = zip(*inside, strict=True)
    assert min(rows) >= 20 - RIM
    assert max(rows) < 28 + RIM
    assert min(columns) >= 30 - RIM
    assert max(columns) < 44 + RIM


def test_each_sign_has_a_place() -> None:
    found = strongest_places(planted((10, 10, 8, 8, 1.0), (40, 40, 8, 8, -0.8)))

    assert [place.against for place in found] == [False, True]
    assert holds(found[0], 14, 14)
    assert holds(found[1], 44, 44)


def test_the_stronger_of_two_blobs_is_the_place_even_where_it_is_smaller() -> None:
    (place,) = strongest_places(planted((5, 5, 14, 14, 0.4), (40, 40, 7, 7, 1.0)))

    assert holds(place, 43, 43)
    assert not holds(place, 12, 12)


def test_two_places_that_are_alike_are_both_ringed_the_stronger_first() -> None:
    first, second = strongest_places(planted((40, 10, 8, 8, 0.9), (40, 46, 8, 8, 1.0)))

    assert holds(first, 43, 49)
    assert not holds(first, 43, 13)
    assert holds(second, 43, 13)


def test_a_crowd_of_speckles_outweighs_one_hot_pixel() -> None:
    values = planted((40, 10, 1, 1, 1.0))
    values[10:20:2, 40:50:2] = 0.8

    (place,) = strongest_places(values)

    assert holds(place, 15, 45)
    assert not holds(place, 40, 10)


def test_a_sign_that_is_weak_beside_the_other_has_no_place() -> None:
    found = strongest_places(planted((10, 10, 8, 8, 1.0), (40, 40, 8, 8, -0.1)))

    assert [place.against for place in found] == [False]


@pytest.mark.parametrize(
    "values",
    [planted(), planted((0, 0, GRID, GRID, 1.0)), planted((10, 10, 8, 8, 0.19))],
    ids=["blank", "even", "weak"],
)
def test_nothing_strong_has_no_place(values: Map) -> None:
    assert strongest_places(values) == ()


def test_a_strong_border_has_its_place_there() -> None:
    (place,) = strongest_places(planted((0, 24, 6, 16, 1.0)))

    assert place.points[:, 1].min() < 1.5 / GRID
    assert place.points.min() >= 0
    assert place.points.max() <= 1


def test_a_speck_on_noise_can_be_drawn_at_any_scale() -> None:
    values = np.random.default_rng(3).normal(size=(GRID, GRID)).clip(-1, 1).astype(np.float32)
    found = strongest_places(values)

    for side in (1, 47, 48, 300):
        canvas = np.full((64, 64, 3), 90, dtype=np.uint8)
        matrix = np.array([[side, 0.0, -0.5], [0.0, side, -0.5]])
        draw_places(canvas, found, matrix, side)
        assert (canvas != 90).any() == (side >= 48), side
