"""Faces come out where the training crops have them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ImageError
from core.faces import aligned_crop
from core.faces.alignment import FRAME, anchors_of, cut, plausible, warped
from core.faces.auto import whole
from core.types import Box, Detection, Image

Points = NDArray[np.float32]


def face_with(anchors: NDArray[np.float64]) -> Points:
    """68 points of which eyes and mouth corners have the given middles (3, 2)."""
    points = np.zeros((68, 2), dtype=np.float64)
    points[36:42], points[42:48] = anchors[0], anchors[1]
    points[48], points[54] = anchors[2] - (5, 0), anchors[2] + (5, 0)
    return points.astype(np.float32)


def blob(height: int, width: int, x: float, y: float, spread: float) -> Image:
    """A bright spot on black with a known centre."""
    rows, columns = np.mgrid[0:height, 0:width]
    light = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
    return np.repeat((250 * light).astype(np.uint8)[:, :, None], 3, axis=2)


def middle_of_light(image: Image) -> tuple[float, float]:
    light = image[:, :, 0].astype(np.float64)
    rows, columns = np.mgrid[0 : light.shape[0], 0 : light.shape[1]]
    return float((columns * light).sum() / light.sum()), float((rows * light).sum() / light.sum())


def test_a_crop_framed_like_the_training_data_stays_as_it_is() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)

    crop, matrix = aligned_crop(image, face_with(FRAME * 64 - 0.5), size=64, margin=0)

    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-5)  # points are float32
    np.testing.assert_array_equal(crop, image)


@pytest.mark.parametrize("degrees", [-30, 0, 12, 170])
@pytest.mark.parametrize("scale", [20.0, 300.0, 2000.0])
def test_a_turned_scaled_and_shifted_face_is_undone(degrees: float, scale: float) -> None:
    angle = np.radians(degrees)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = face_with(scale * FRAME @ turn.T + (70, 40))
    # float32 mouth corners, set apart along x, meet in their middle whatever the turn

    _, matrix = aligned_crop(np.zeros((90, 120, 3), np.uint8), points, size=128, margin=0)

    mapped = anchors_of(points) @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(mapped, FRAME * 128 - 0.5, atol=1e-3)


def test_the_frame_is_the_measured_one() -> None:
    (left_x, left_y), (right_x, right_y), (_, mouth_y) = FRAME

    assert left_y == right_y == pytest.approx(0.348)
    assert right_x - left_x == pytest.approx(0.484)
    assert mouth_y == pytest.approx(0.744)


@pytest.mark.parametrize(("side", "size"), [(1500, 128), (700, 160), (300, 128), (60, 128)])
def test_the_matrix_tells_where_a_point_goes(side: int, size: int) -> None:
    """Also where the picture is shrunk before it is turned."""
    angle = np.radians(17)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = face_with(side * FRAME @ turn.T + (0.35 * side, 10))
    x, y = (np.array([0.55, 0.45]) * side) @ turn.T + (0.35 * side, 10)
    image = blob(int(1.4 * side), int(1.4 * side), x, y, spread=0.05 * side)

    crop, matrix = aligned_crop(image, points, size=size)

    expected = matrix[:, :2] @ (x, y) + matrix[:, 2]
    np.testing.assert_allclose(middle_of_light(crop), expected, atol=0.12)


def test_shrinking_averages_instead_of_picking_pixels() -> None:
    rng = np.random.default_rng(2)
    noise = np.repeat(rng.integers(0, 256, (1280, 1280, 1), dtype=np.uint8), 3, axis=2)

    crop = warped(noise, np.array([[0.1, 0, 0], [0, 0.1, 0]]), 128)

    # 100 values of spread 74 average to a spread of 7.4; picked pixels would keep 74
    assert crop.std() < 10
    assert abs(float(crop.mean()) - 127.5) < 1


def test_the_edge_is_repeated_beyond_the_picture() -> None:
    image = np.full((30, 30, 3), (10, 150, 220), dtype=np.uint8)

    crop, _ = aligned_crop(image, face_with(FRAME * 40 + (20, -15)), size=64)

    np.testing.assert_array_equal(crop, np.full((64, 64, 3), (10, 150, 220)))


def test_a_margin_shrinks_the_face_towards_the_middle() -> None:
    points = face_with(FRAME * 200)

    _, matrix = aligned_crop(np.zeros((200, 200, 3), np.uint8), points, size=100, margin=0.25)

    mapped = anchors_of(points) @ matrix[:, :2].T + matrix[:, 2]
    # a face of 1 in a frame of 1.5: (f - 0.5) / 1.5 + 0.5
    np.testing.assert_allclose(mapped, ((FRAME - 0.5) / 1.5 + 0.5) * 100 - 0.5, atol=1e-4)


def test_a_whole_picture_as_box_fills_the_crop() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (48, 80, 3), dtype=np.uint8)

    crop, matrix = aligned_crop(image, whole(image), size=48, margin=0)

    np.testing.assert_array_equal(crop, image[:, 16:64])
    np.testing.assert_allclose(matrix, [[1, 0, -16], [0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize("name", ["blazeface", "dlib_hog", "haar"])
def test_a_box_frames_nearly_as_landmarks_do(name: str, photo: Image) -> None:
    from core.faces import detect, fit_landmarks

    found = detect(photo, name)[0]
    points = fit_landmarks(photo, found)

    _, by_box = aligned_crop(photo, found, size=100, margin=0)

    mapped = anchors_of(points) @ by_box[:, :2].T + by_box[:, 2]
    np.testing.assert_allclose(mapped, FRAME * 100, atol=10)


def test_a_face_without_size_is_refused() -> None:
    image = np.zeros((10, 10, 3), dtype=np.uint8)

    with pytest.raises(ImageError, match="single point"):
        aligned_crop(image, np.full((68, 2), 4, dtype=np.float32))
    with pytest.raises(ImageError, match="box is empty"):
        aligned_crop(image, Detection(Box(5, 5, 5, 5), 1.0, "haar"))


def test_landmarks_gone_astray_are_seen() -> None:
    box = Box(0, 0, 100, 100)
    good = face_with(FRAME * 100)
    crossed = good.copy()
    crossed[36:42], crossed[42:48] = good[42:48], good[36:42]
    collapsed = face_with(FRAME * 20 + 40)

    assert plausible(good, box)
    assert not plausible(crossed, box)
    assert not plausible(collapsed, box)


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
