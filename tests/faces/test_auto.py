"""Small faces in large pictures, and walls that are none."""

import numpy as np
import pytest
from skimage import data

from core.faces import detect
from core.faces.auto import _starts, sweep
from core.types import Image

Crowd = tuple[Image, tuple[tuple[int, int, int], ...]]


def test_windows_cover_a_length_evenly() -> None:
    assert _starts(100) == [0]
    assert _starts(128) == [0]
    assert _starts(129) == [0, 1]
    # 128 are left; two steps of at most 0.64 * 128 = 81.9
    assert _starts(256) == [0, 64, 128]


def test_faces_of_all_sizes_are_found_where_they_are(crowd: Crowd) -> None:
    image, places = crowd

    found = sweep(image)

    centres = [each.box.centre for each in found]
    assert len(found) == 4
    for (x, y, side), (found_x, found_y) in zip(places, centres, strict=True):
        assert np.hypot(found_x - x, found_y - y) < 0.1 * side


def test_one_look_misses_small_faces(crowd: Crowd) -> None:
    """If this fails the sweep may have become needless."""
    assert len(detect(crowd[0], "blazeface")) < 4


@pytest.mark.parametrize("name", ["brick", "coffee", "chelsea"])
def test_pictures_without_a_human_face_have_none(name: str) -> None:
    picture = np.asarray(getattr(data, name)(), np.uint8)
    image = picture if picture.ndim == 3 else np.repeat(picture[:, :, None], 3, axis=2)

    assert detect(image, "auto") == ()
