from dataclasses import replace

import numpy as np
import pytest
from live_world import live_face

from core.drawing import Style, annotate_frame, colour_of, name_of
from core.labels import COLOURS, EMOTIONS
from core.types import FrameResult, Image, LiveFace

NOTHING = Style(overlay=False, landmarks=False, boxes=False, bars=False)


def frame(width: int = 320, height: int = 240, grey: int = 0) -> Image:
    return np.full((height, width, 3), grey, np.uint8)


def result(*faces: LiveFace, width: int = 320, height: int = 240) -> FrameResult:
    return FrameResult(0.0, width, height, faces)


def test_with_everything_off_the_frame_is_the_frame() -> None:
    image = frame(grey=90)

    drawn = annotate_frame(image, result(live_face()), NOTHING)

    np.testing.assert_array_equal(drawn, image)
    assert drawn is not image


def test_the_frame_given_is_not_written_to() -> None:
    image = frame(grey=90)
    image.setflags(write=False)

    assert (annotate_frame(image, result(live_face())) != image).any()


def test_the_box_has_the_colour_of_the_expression_along_its_edge() -> None:
    face = live_face()
    drawn = annotate_frame(frame(), result(face), replace(NOTHING, boxes=True))

    middle = (face.box.top + face.box.bottom) // 2
    colours = {tuple(pixel) for pixel in drawn[middle, face.box.left : face.box.left + 4].tolist()}
    assert colour_of("happiness") in colours
    assert colour_of("happiness") == (0xE6, 0x9F, 0x00)


def test_of_a_face_that_left_the_frame_no_box_remains() -> None:
    face = live_face(x=500)

    drawn = annotate_frame(frame(grey=90), result(face), replace(NOTHING, boxes=True))

    assert face.box.left > 320
    rows = np.nonzero((drawn[:, -1] != 90).any(axis=1))[0]  # of the name, which stays in the frame
    assert len(rows) < 30
    assert not np.all(drawn == 0, axis=2)[rows.max() + 1 :].any()


def test_unclear_is_grey_and_named_so() -> None:
    face = live_face(label=None)

    assert name_of(face, numbered=False) == "unclear"
    assert colour_of(None) not in {colour_of(label) for label in COLOURS}


def test_names_carry_the_percentage_of_what_they_name_and_the_id_among_several() -> None:
    assert name_of(live_face(), numbered=False) == "happiness 70 %"
    assert name_of(live_face(label="surprise", key=3), numbered=True) == "3: surprise 10 %"


def test_the_map_colours_the_half_where_it_is_hot() -> None:
    face = live_face()
    drawn = annotate_frame(
        frame(grey=60), result(face), replace(NOTHING, overlay=True, opacity=1.0)
    )

    changed = (drawn != 60).any(axis=2)
    quarter = face.box.width // 8
    assert changed[120, face.box.left + quarter]
    assert not changed[120, face.box.right - quarter]
    assert not changed[:, : face.box.left - quarter].any()


def test_the_target_chooses_the_map() -> None:
    face = live_face()
    assert face.explanation is not None
    maps = face.explanation.maps.copy()
    maps[EMOTIONS.index("fear")] = 0
    face = replace(face, explanation=replace(face.explanation, maps=maps))
    only_map = replace(NOTHING, overlay=True)

    shown = annotate_frame(frame(grey=60), result(face), only_map)
    fear = annotate_frame(frame(grey=60), result(face), replace(only_map, target="fear"))

    assert (shown != 60).any()
    assert (fear == 60).all()


def test_all_landmarks_are_drawn() -> None:
    face = live_face()
    drawn = annotate_frame(frame(), result(face), replace(NOTHING, landmarks=True))

    assert face.face.landmarks is not None
    for x, y in np.rint(face.face.landmarks).astype(int):
        assert tuple(drawn[y, x]) == (255, 255, 255)


def test_the_bars_have_the_lengths_of_the_probabilities() -> None:
    drawn = annotate_frame(
        frame(640, 480), result(live_face(), width=640, height=480), replace(NOTHING, bars=True)
    )

    lengths = [int((drawn == colour_of(label)).all(axis=2).sum(axis=1).max()) for label in EMOTIONS]
    assert lengths[0] == pytest.approx(0.7 * 60, abs=2)
    assert lengths[1] == pytest.approx(0.1 * 60, abs=2)


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_numbers_are_readable_on_any_background(grey: int) -> None:
    drawn = annotate_frame(
        frame(640, 480, grey),
        result(live_face(), width=640, height=480),
        replace(NOTHING, bars=True),
    ).astype(int)

    panel = drawn[100:180, 210:280]
    white = (panel == 255).all(axis=2)
    assert white.sum() > 100  # letters
    assert panel[~white].min() < 80  # on a dark plate
    contrast = (1.0 + 0.05) / ((panel.min() / 255) ** 2.2 + 0.05)
    assert contrast > 7


@pytest.mark.parametrize("size", [(16, 12), (64, 48), (160, 120), (320, 240), (3840, 2160)])
@pytest.mark.parametrize("where", [(0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (1.0, 1.0), (3.0, -2.0)])
def test_any_size_and_place_is_drawn(size: tuple[int, int], where: tuple[float, float]) -> None:
    width, height = size
    face = live_face(where[0] * width, where[1] * height, side=0.6 * height)

    drawn = annotate_frame(frame(width, height), result(face, width=width, height=height))

    assert drawn.shape == (height, width, 3)
    assert drawn.dtype == np.uint8


def test_a_crowd_keeps_its_names_apart_and_panels_off_faces() -> None:
    faces = [live_face(60 + 100 * n, 100, 70, key=n + 1) for n in range(6)]

    names_only = annotate_frame(
        frame(640, 480), result(*faces, width=640, height=480), replace(NOTHING, boxes=True)
    )
    with_bars = annotate_frame(
        frame(640, 480),
        result(*faces, width=640, height=480),
        replace(NOTHING, boxes=True, bars=True),
    )

    for face in faces:
        area = np.s_[face.box.top : face.box.bottom, face.box.left : face.box.right]
        np.testing.assert_array_equal(names_only[area], with_bars[area])
    assert (names_only != with_bars).any()
