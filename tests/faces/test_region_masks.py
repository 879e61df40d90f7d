"""Regions cover the crop, do not overlap and lie where their names say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.faces import REGIONS, aligned_crop, detect, fit_landmarks, regions
from core.types import Image

Points = NDArray[np.float32]
SIZE = 160


@pytest.fixture(scope="module")
def points(photo: Image) -> Points:
    """Landmarks in a crop with room around the face."""
    found = fit_landmarks(photo, detect(photo, "dlib_hog")[0])
    _, matrix = aligned_crop(photo, found, size=SIZE, margin=0.4)
    return (found @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


@pytest.mark.parametrize("size", [4, 16, 64, 160])
def test_every_pixel_has_exactly_one_region(points: Points, size: int) -> None:
    masks = regions(points * np.float32(size / SIZE), size)

    assert tuple(masks) == REGIONS
    assert all(mask.shape == (size, size) and mask.dtype == np.bool_ for mask in masks.values())
    np.testing.assert_array_equal(np.sum(list(masks.values()), axis=0), np.ones((size, size)))


def test_known_places_have_the_right_names(points: Points) -> None:
    def between(first: int, second: int, share: float = 0.5) -> NDArray[np.float32]:
        return np.asarray(points[first] * (1 - share) + points[second] * share, np.float32)

    up = points[27] - points[33]
    brow = points[17:27].mean(axis=0)
    places = {
        "left pupil": (points[36:42].mean(axis=0), "eyes"),
        "right pupil": (points[42:48].mean(axis=0), "eyes"),
        "left brow": (points[19], "brows"),
        "right brow": (points[24], "brows"),
        "between the brows": (between(21, 22), "brows"),
        "bridge of the nose": (points[29], "nose"),
        "tip of the nose": (points[30], "nose"),
        "teeth": (between(62, 66), "mouth"),
        "lower lip": (points[57], "mouth"),
        "left cheek": (between(2, 31), "cheeks"),
        "right cheek": (between(14, 35), "cheeks"),
        "chin": (between(57, 8, 0.6), "chin"),
        "forehead": (brow + 0.5 * up, "forehead"),
        "hair": (brow + 2.0 * up, "background"),
        "corner": (np.array([1, 1]), "background"),
        "neck": (points[8] + (0, 10), "background"),
    }
    masks = regions(points, SIZE)

    def named(place: NDArray[np.float32]) -> list[str]:
        column, row = np.rint(place).astype(int)
        return [name for name, mask in masks.items() if mask[row, column]]

    assert {place: named(point) for place, (point, _) in places.items()} == {
        place: [name] for place, (_, name) in places.items()
    }


def test_sizes_are_those_of_a_face(points: Points) -> None:
    areas = {name: float(mask.mean()) for name, mask in regions(points, SIZE).items()}
    face = 1 - areas.pop("background")

    assert 0.2 < face < 0.5
    for name, area in areas.items():
        assert 0.03 < area / face < 0.4, name
    assert areas["eyes"] < areas["brows"] < areas["cheeks"]
    assert areas["mouth"] < areas["forehead"]


def test_a_mirrored_face_has_mirrored_regions(points: Points) -> None:
    # The numbers of the landmarks from right to left: jaw, brows, nose, eyes, lips.
    order = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    order += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    order += [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)]
    mirrored = points[order].copy()
    mirrored[:, 0] = SIZE - 1 - mirrored[:, 0]

    there, back = regions(points, SIZE), regions(mirrored, SIZE)

    for name in REGIONS:
        same = (there[name] == back[name][:, ::-1]).mean()
        assert same > 0.985, name


def test_a_face_beyond_the_crop_leaves_background(points: Points) -> None:
    masks = regions(points + 1000, SIZE)

    assert masks["background"].all()
