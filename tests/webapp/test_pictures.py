"""What is drawn on photos and faces, to the pixel."""

from dataclasses import replace

import numpy as np
import pytest
from made_results import LABELS, face_result, grey, image_result

from core import Box
from core.drawing import heat_image, quick_png
from core.images import decode
from webapp import pictures
from webapp.pictures import FACE, Look

BOX = Box(40, 30, 80, 70)
BARE = Look(opacity=1.0, boxes=False, landmarks=False)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Rows and columns (N, 2) of the pixels that differ."""
    return np.argwhere(np.any(before != after, axis=2))


def test_the_map_lies_on_the_face_and_nowhere_else() -> None:
    result = image_result(face_result(BOX))

    drawn = pictures.annotated(result, BARE)

    strongest = heat_image(np.ones((1, 1), np.float32), 1.0, 1)[0, 0]
    inside = drawn[BOX.top + 1 : BOX.bottom - 1, BOX.left + 1 : BOX.right - 1]
    assert np.all(inside == strongest)
    places = changed(result.image, drawn)
    assert places.min(axis=0).tolist() >= [BOX.top - 1, BOX.left - 1]
    assert places.max(axis=0).tolist() <= [BOX.bottom, BOX.right]


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_map_stays_on_the_face_when_the_photo_is_resized(scale: float) -> None:
    result = image_result(face_result(BOX))

    drawn = pictures.annotated(result, BARE, longest=round(200 * scale))

    assert drawn.shape == (100 * scale, 200 * scale, 3)
    places = changed(np.full_like(drawn, 128), drawn)
    middle = (places.min(axis=0) + places.max(axis=0) + 1) / 2
    expected = np.array([50.0, 60.0]) * scale  # row and column of the box's middle
    np.testing.assert_allclose(middle, expected, atol=0.6)
    assert np.ptp(places, axis=0) + 1 == pytest.approx(np.full(2, 40 * scale), abs=2)


@pytest.mark.parametrize("look", [replace(BARE, opacity=0.0), replace(BARE, target="sadness")])
def test_without_opacity_or_evidence_the_photo_is_unchanged(look: Look) -> None:
    result = image_result(face_result(BOX))

    np.testing.assert_array_equal(pictures.annotated(result, look), result.image)


def test_nothing_is_drawn_into_the_result_itself() -> None:
    result = image_result(face_result(BOX, landmarks=True))

    pictures.annotated(result, Look(opacity=1.0))

    assert np.all(result.image == 128)
    assert np.all(result.faces[0].face.crop == 128)


def test_landmarks_are_dots_at_their_points() -> None:
    result = image_result(face_result(BOX, landmarks=True))

    drawn = pictures.annotated(result, replace(BARE, opacity=0.0, landmarks=True))

    assert drawn[35, 45].tolist() == [255, 255, 255]
    places = changed(result.image, drawn)
    assert np.abs(places - [35, 45]).max() <= 3


def test_a_box_has_the_colour_of_the_answer_and_a_tag_above() -> None:
    result = image_result(face_result(BOX))

    drawn = pictures.annotated(result, replace(BARE, opacity=0.0, boxes=True))

    sky_blue = [0x56, 0xB4, 0xE9]  # of surprise
    assert drawn[50, BOX.left].tolist() == sky_blue
    assert drawn[BOX.bottom - 1, 60].tolist() == sky_blue
    assert drawn[BOX.top - 1, BOX.left].tolist() == sky_blue
    assert np.all(drawn[50, BOX.left + 6 : BOX.right - 6] == 128)


@pytest.mark.parametrize("box", [Box(0, 0, 30, 30), Box(170, 70, 200, 100), Box(-9, -9, 230, 130)])
def test_tags_stay_inside_the_picture(box: Box) -> None:
    result = image_result(face_result(box))

    drawn = pictures.annotated(result, replace(BARE, opacity=0.0, boxes=True))

    coloured = np.argwhere(np.all(drawn == [0x56, 0xB4, 0xE9], axis=2))
    assert drawn.shape == (100, 200, 3)
    # The tag is a filled patch: some row of it has a long run of the colour.
    rows = np.bincount(coloured[:, 0], minlength=100)
    assert rows.max() > 30


def test_a_small_photo_is_enlarged_and_a_large_one_reduced() -> None:
    small, large = image_result(size=(20, 10)), image_result(size=(300, 3000))

    assert pictures.annotated(small, Look(), 1200).shape == (80, 40, 3)
    assert pictures.annotated(large, Look(), 1200).shape == (120, 1200, 3)
    assert pictures.annotated(large, Look()).shape == (300, 3000, 3)


def test_one_scale_serves_all_faces_of_a_photo() -> None:
    weak, strong = face_result(BOX, strength=0.5), face_result(Box(100, 30, 140, 70), strength=2.0)
    result = image_result(weak, strong)

    assert pictures.common_scale(result, replace(BARE, target="surprise")) == 2.0
    assert pictures.common_scale(image_result(), BARE) == 0.0


def test_the_scale_is_that_of_the_maps_shown() -> None:
    result = image_result(face_result(BOX, strength=0.5))

    assert pictures.common_scale(result, replace(BARE, target=LABELS[0])) == 0.0


def test_the_map_covers_the_part_the_network_saw() -> None:
    face = face_result(BOX)
    assert face.explanation is not None

    heat = pictures.map_alone(face.explanation, "surprise", 1.0, replace(BARE, coverage=0.5))

    brightness = heat.astype(int).sum(axis=2)
    quarter = FACE // 4
    assert heat.shape == (FACE, FACE, 3)
    assert brightness[quarter:-quarter, quarter:-quarter].min() > brightness[: quarter - 1].max()


def test_the_own_prediction_or_the_class_asked_for_is_mapped() -> None:
    face = face_result(BOX)

    assert Look().label_of(face) == "surprise"
    assert Look(target="fear").label_of(face) == "fear"


def test_a_row_of_pictures_has_clear_gaps_and_survives_packing() -> None:
    row = pictures.side_by_side(grey(4, 4, 10), grey(4, 4, 200), gap=3)

    assert row.shape == (4, 11, 4)
    assert row[0, :, 3].tolist() == [255] * 4 + [0] * 3 + [255] * 4
    picture = grey(5, 7, 90)
    picture[2, 3] = (1, 2, 3)
    np.testing.assert_array_equal(decode(quick_png(picture)), picture)


def test_an_unclear_face_is_framed_all_the_same() -> None:
    clear = image_result(face_result(BOX))
    unclear = image_result(face_result(BOX, threshold=0.9))
    look = replace(BARE, opacity=0.0, boxes=True)

    one, other = pictures.annotated(clear, look), pictures.annotated(unclear, look)

    assert np.array_equal(one[BOX.top :], other[BOX.top :])
    assert not np.array_equal(one[: BOX.top], other[: BOX.top])  # the tag says something else
