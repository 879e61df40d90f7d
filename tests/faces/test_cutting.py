"""Cutting over the edge, with pixels that can be counted."""

import numpy as np
import pytest

from core.faces.alignment import cut
from core.types import Box, Image


@pytest.fixture
def numbered() -> Image:
    """2 x 3 pixels: 0 1 2 over 10 11 12."""
    values = np.array([[0, 1, 2], [10, 11, 12]], dtype=np.uint8)
    return np.repeat(values[:, :, None], 3, axis=2)


def test_inside_it_is_a_view(numbered: Image) -> None:
    part = cut(numbered, Box(1, 0, 3, 2))

    assert part[:, :, 0].tolist() == [[1, 2], [11, 12]]
    assert np.shares_memory(part, numbered)


def test_beyond_the_edge_the_edge_is_repeated(numbered: Image) -> None:
    part = cut(numbered, Box(-1, -1, 2, 4))

    assert part[:, :, 2].tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [10, 10, 11],
        [10, 10, 11],
        [10, 10, 11],
    ]


def test_beyond_the_edge_it_may_be_black(numbered: Image) -> None:
    part = cut(numbered, Box(1, 1, 5, 2), black=True)

    assert part[:, :, 1].tolist() == [[11, 12, 0, 0]]


@pytest.mark.parametrize(
    ("box", "expected"), [(Box(7, 0, 9, 2), [[2, 2], [12, 12]]), (Box(-6, 5, -5, 6), [[10]])]
)
def test_far_beyond_the_edge_it_has_the_right_size(
    numbered: Image, box: Box, expected: list[list[int]]
) -> None:
    assert cut(numbered, box)[:, :, 0].tolist() == expected
