"""What is drawn on photos and faces, to the pixel."""

from dataclasses import replace

import numpy as np
import pytest
from made_results import LABELS, face_result, grey, image_result
from PIL import ImageFont

from core import Box
from core.drawing import (
    Style,
    annotate_frame,
    annotate_picture,
    colour_of,
    common_scale,
    draw_points,
    heat_image,
)
from core.images import decode, quick_png
from core.types import FrameResult, LiveFace
from webapp import pictures
from webapp.pictures import FACE

BOX = Box(40, 30, 80, 70)
BARE = Style(opacity=1.0, boxes=False, landmarks=False)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Rows and columns (N, 2) of the pixels that differ."""
    return np.argwhere(np.any(before != after, axis=2))


def test_the_map_lies_on_the_face_and_nowhere_else() -> None:
    result = image_result(face_result(BOX))

    drawn = annotate_picture(result, BARE)

    strongest = heat_image(np.ones((1, 1), np.float32), 1.0, 1)[0, 0]
    inside = drawn[BOX.top + 1 : BOX.bottom - 1, BOX.left + 1 : BOX.right - 1]
    assert np.all(inside == strongest)
    places = changed(result.image, drawn)
    assert places.min(axis=0).tolist() >= [BOX.top - 1, BOX.left - 1]
    assert places.max(axis=0).tolist() <= [BOX.bottom, BOX.right]


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_map_stays_on_the_face_when_the_photo_is_resized(scale: float) -> None:
    result = image_result(face_result(BOX))

    drawn = annotate_picture(result, BARE, longest=round(200 * scale))

    assert drawn.shape == (100 * scale, 200 * scale, 3)
    places = changed(np.full_like(drawn, 128), drawn)
    middle = (places.min(axis=0) + places.max(axis=0) + 1) / 2
    expected = np.array([50.0, 60.0]) * scale  # row and column of the box's middle
    np.testing.assert_allclose(middle, expected, atol=0.6)
    assert np.ptp(places, axis=0) + 1 == pytest.approx(np.full(2, 40 * scale), abs=2)


@pytest.mark.parametrize("style", [replace(BARE, opacity=0.0), replace(BARE, target="sadness")])
def test_without_opacity_or_evidence_the_photo_is_unchanged(style: Style) -> None:
    result = image_result(face_result(BOX))

    np.testing.assert_array_equal(annotate_picture(result, style), result.image)


def test_nothing_is_drawn_into_the_result_itself() -> None:
    result = image_result(face_result(BOX, landmarks=True))

    annotate_picture(result, Style(opacity=1.0))

    assert np.all(result.image == 128)
    assert np.all(result.faces[0].face.crop == 128)


def test_landmarks_are_dots_at_their_points() -> None:
    result = image_result(face_result(BOX, landmarks=True))

    drawn = annotate_picture(result, replace(BARE, opacity=0.0, landmarks=True))

    assert drawn[35, 45].tolist() == [255, 255, 255]
    places = changed(result.image, drawn)
    assert np.abs(places - [35, 45]).max() <= 3


def test_a_box_has_the_colour_of_the_answer_and_a_tag_above() -> None:
    result = image_result(face_result(BOX))

    drawn = annotate_picture(result, replace(BARE, opacity=0.0, boxes=True))

    sky_blue = [0x56, 0xB4, 0xE9]  # of surprise
    assert drawn[50, BOX.left].tolist() == sky_blue
    assert drawn[BOX.bottom - 1, 60].tolist() == sky_blue
    assert drawn[BOX.top - 1, BOX.left].tolist() == sky_blue
    assert np.all(drawn[50, BOX.left + 6 : BOX.right - 6] == 128)


@pytest.mark.parametrize("box", [Box(0, 0, 30, 30), Box(170, 70, 200, 100), Box(-9, -9, 230, 130)])
def test_tags_stay_inside_the_picture(box: Box) -> None:
    result = image_result(face_result(box))

    drawn = annotate_picture(result, replace(BARE, opacity=0.0, boxes=True))

    coloured = np.argwhere(np.all(drawn == [0x56, 0xB4, 0xE9], axis=2))
    assert drawn.shape == (100, 200, 3)
    # The tag is a filled patch: some row of it has a long run of the colour.
    rows = np.bincount(coloured[:, 0], minlength=100)
    assert rows.max() > 30


def test_a_small_photo_is_enlarged_and_a_large_one_reduced() -> None:
    small, large = image_result(size=(20, 10)), image_result(size=(300, 3000))

    assert annotate_picture(small, Style(), 1200).shape == (80, 40, 3)
    assert annotate_picture(large, Style(), 1200).shape == (120, 1200, 3)
    assert annotate_picture(large, Style()).shape == (300, 3000, 3)


def test_one_scale_serves_all_faces_of_a_photo() -> None:
    weak, strong = face_result(BOX, strength=0.5), face_result(Box(100, 30, 140, 70), strength=2.0)
    result = image_result(weak, strong)

    assert common_scale(result, replace(BARE, target="surprise")) == 2.0
    assert common_scale(image_result(), BARE) == 0.0


def test_the_scale_is_that_of_the_maps_shown() -> None:
    result = image_result(face_result(BOX, strength=0.5))

    assert common_scale(result, replace(BARE, target=LABELS[0])) == 0.0


def test_the_map_covers_the_part_the_network_saw() -> None:
    face = face_result(BOX)
    assert face.explanation is not None

    heat = pictures.map_alone(face.explanation, "surprise", 1.0, replace(BARE, coverage=0.5))

    brightness = heat.astype(int).sum(axis=2)
    quarter = FACE // 4
    assert heat.shape == (FACE, FACE, 3)
    assert brightness[quarter:-quarter, quarter:-quarter].max() < brightness[: quarter - 1].min()


def test_the_own_prediction_or_the_class_asked_for_is_mapped() -> None:
    face = face_result(BOX)

    assert Style().label_of(face) == "surprise"
    assert Style(target="fear").label_of(face) == "fear"


def test_a_row_of_pictures_has_clear_gaps_and_survives_packing() -> None:
    row = pictures.side_by_side(grey(4, 4, 10), grey(4, 4, 200), gap=3)

    assert row.shape == (4, 11, 4)
    assert row[0, :, 3].tolist() == [255] * 4 + [0] * 3 + [255] * 4
    picture = grey(5, 7, 90)
    picture[2, 3] = (1, 2, 3)
    np.testing.assert_array_equal(decode(quick_png(picture)), picture)
    np.testing.assert_array_equal(decode(quick_png(picture[..., 0]))[..., 2], picture[..., 0])


def test_an_unclear_face_has_one_colour_on_photos_and_frames() -> None:
    face = face_result(BOX, threshold=0.9)
    live = LiveFace(1, face.face, face.prediction, face.prediction.probabilities, label=None)
    style = replace(BARE, opacity=0.0, boxes=True)

    photo = annotate_picture(image_result(face), style)
    frame = annotate_frame(
        grey(100, 200), FrameResult(0.0, 200, 100, (live,)), Style(bars=False, landmarks=False)
    )

    unclear = np.array(colour_of(None))
    edge = np.s_[50, BOX.left : BOX.left + 4]
    assert np.all(frame[edge] == unclear, axis=1).any()
    assert np.all(photo[edge] == unclear, axis=1).any()


def test_an_unclear_face_is_framed_all_the_same() -> None:
    clear = image_result(face_result(BOX))
    unclear = image_result(face_result(BOX, threshold=0.9))
    style = replace(BARE, opacity=0.0, boxes=True)

    one, other = annotate_picture(clear, style), annotate_picture(unclear, style)

    framed, also = (np.any(drawn != 128, axis=2)[BOX.top :] for drawn in (one, other))
    assert framed.any()
    np.testing.assert_array_equal(framed, also)
    letters, others = (np.all(drawn == 0, axis=2)[: BOX.top] for drawn in (one, other))
    assert not np.array_equal(letters, others)  # the tag says something else


def test_signed_maps_are_drawn_in_colours_for_both_signs() -> None:
    face = face_result(BOX)
    assert face.explanation is not None
    signed = replace(face, explanation=replace(face.explanation, signed=True))

    drawn = annotate_picture(image_result(signed), replace(BARE, colours="viridis"))

    strongest = heat_image(np.ones((1, 1), np.float32), 1.0, 1, "diverging")[0, 0]
    assert np.all(drawn[BOX.top + 1 : BOX.bottom - 1, BOX.left + 1 : BOX.right - 1] == strongest)


def test_a_tag_is_as_large_as_its_letters_and_their_margin() -> None:
    result = image_result(face_result(Box(40, 60, 80, 90)))

    drawn = annotate_picture(result, replace(BARE, opacity=0.0, boxes=True))

    _, top, right, bottom = ImageFont.load_default(13).getbbox("1  surprise")  # 13 px: the least
    margin = round((bottom - top) * 0.4)
    rows, columns = np.nonzero(np.any(drawn[:60] != 128, axis=2))
    assert rows.min() == 60 - (bottom - top) - 2 * margin
    assert rows.max() == 59
    assert columns.min() == 40
    left = ImageFont.load_default(13).getbbox("1  surprise")[0]
    assert columns.max() == 40 + right - left + 2 * margin - 1


@pytest.mark.parametrize(("smooth", "row"), [(True, 10.5), (False, 10.0)])
def test_only_smooth_points_lie_between_pixels(smooth: bool, row: float) -> None:
    canvas = grey(22, 20)

    draw_points(canvas, np.array([[10.0, 10.5]]), 2.0, smooth=smooth)

    dark = np.maximum(128.0 - canvas[..., 0], 0)  # the rim, all around the dot
    assert np.all(canvas[10, 8:13] > 128)
    assert np.average(np.arange(22), weights=dark.sum(axis=1)) == pytest.approx(row, abs=0.1)


@pytest.mark.parametrize(
    ("strongest", "mark"), [(0.0, "blank"), (1e-13, "blank"), (0.75, "faint"), (-0.75, "faint")]
)
def test_a_map_that_seems_empty_says_whether_it_is(strongest: float, mark: str) -> None:
    evidence = np.array([[0.0, strongest]], np.float32)

    assert pictures.emptiness(evidence, 4.0) == mark  # 0.75 of 4 is less than a fifth
    assert pictures.emptiness(evidence + np.float32(1.0), 4.0) == ""


def test_only_the_marks_that_occur_are_explained() -> None:
    assert pictures.emptiness_in_words(["", ""]) == ""
    assert pictures.emptiness_in_words(["faint", "", "faint"]) == (
        "Faint: less than a fifth of what the strongest colour stands for."
    )
    assert pictures.emptiness_in_words(["faint", "blank"]).startswith("Blank: no evidence at all. ")
