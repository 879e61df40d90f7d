"""Parts of a face as bars, tiles and words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from photos import sample_photo

from core.explain import RegionOcclusion, RegionReport, in_words
from core.explain.region_reports import sentence
from core.faces import find_faces
from core.faithfulness import FaceFaithfulness
from core.predict import Predictor
from core.preprocess import Preprocess
from core.types import Explanation
from webapp.charts import faithfulness
from webapp.charts.faithfulness import from_above, part_bars, told
from webapp.image_explanation import faithfulness_view, parts_in_words, regions_view

NAMES = ("mouth", "background", "brows")


def test_parts_stand_as_on_a_face() -> None:
    assert from_above(NAMES) == [2, 0, 1]
    assert from_above(("odd", "chin")) == [1, 0]


def test_an_answer_that_only_its_background_decides_is_decided_by_no_part() -> None:
    def logits(share: float) -> np.ndarray:
        return np.log([share, 1 - share])

    def report(mouth: float) -> RegionReport:
        after = np.stack([logits(mouth), logits(0.6), logits(0.88)])
        hidden = RegionOcclusion(NAMES, logits(0.9), after, np.zeros((3, 2, 4, 4), np.float32))
        said = sentence(("joy", "fear"), hidden)
        none = Explanation("made", "last", ("joy", "fear"), np.zeros((2, 4, 4), np.float32))
        return RegionReport("joy", "fear", none, (), hidden, None, None, said)

    assert report(0.89).has_small_effects
    assert "Hiding any single part of the face changes this by less" in report(0.89).sentence
    assert not report(0.8).has_small_effects


def test_numbers_of_parts_say_why_they_differ_from_the_cards(
    made_checkpoint: Callable[..., Path],
) -> None:
    for flip_average, engine, words in (
        (True, "exact", "the mean of the face and its mirror image."),
        (False, "int8", "its answer in 8 bits, which may be a little different."),
        (False, "exact", "and the network asked again."),
    ):
        predictor = Predictor(made_checkpoint(f"{engine} {flip_average}"))
        predictor.card = replace(predictor.card, flip_average=flip_average)
        predictor.engine = engine
        assert regions_view.how_hidden(predictor).endswith(words)


def test_bars_show_each_parts_number_on_its_side() -> None:
    bars = part_bars(NAMES, (0.52, 0.0, -0.1), "points").data[0]

    assert list(bars.y) == ["brows", "mouth", "background"]
    assert list(bars.x) == [-0.1, 0.52, 0.0]
    assert list(bars.text) == ["-10.0", "+52.0", "0.0"]
    assert bars.marker.color[0] != bars.marker.color[1]


def test_tiny_effects_get_tiny_bars() -> None:
    low, high = part_bars(NAMES, (0.008, 0.0, 0.001), "points").layout.xaxis.range

    assert low == 0
    assert high >= 0.1


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.123, "points", "+12.3"),
        (-0.00001, "points", "0.0"),
        (0.5, "share", "50.0 %"),
        (2.3, "times", "2.30 x"),
        (-0.0042, "logits", "-0.004"),
    ],
)
def test_numbers_are_told_in_their_unit(value: float, unit: str, text: str) -> None:
    assert told(value, unit) == text  # type: ignore[arg-type]


def test_lists_are_told_in_words() -> None:
    assert in_words(["mouth"]) == "the mouth"
    assert in_words(["eyes", "mouth", "cheeks"]) == "the eyes, the mouth and the cheeks"


def test_a_name_stands_at_the_widest_place() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[2:5, 2:5] = True  # small, with the centroid of both far from either
    mask[20:31, 10:21] = True

    assert regions_view.widest_place(mask) == (15, 25)


def test_the_parts_are_outlined_on_the_face() -> None:
    face = find_faces(sample_photo()).faces[0]

    drawn = regions_view.face_with_parts(face)

    assert drawn.shape == (regions_view.LARGE, regions_view.LARGE, 3)
    assert (drawn == 255).all(axis=2).mean() > 0.01
    assert face.crop.max() <= 255


def test_tiles_name_the_answer_that_is_left() -> None:
    logits = np.log([[0.2, 0.8], [0.6, 0.4]])
    hidden = RegionOcclusion(
        ("mouth", "eyes"), np.log([0.9, 0.1]), logits, np.zeros((2, 3, 8, 8), np.float32)
    )
    preprocess = Preprocess(size=8, crop=8)

    whole, eyes, mouth = regions_view.hidden_tiles(
        hidden, np.full((8, 8), 7, np.uint8), ("joy", "fear"), preprocess
    )

    assert whole.words == ("nothing hidden", "joy 90.0 %")
    assert (whole.picture == 7).all()
    assert eyes.words == ("without eyes", "joy 60.0 %")
    assert mouth.words == ("without mouth", "joy 20.0 %", "now fear 80.0 %")
    # A network's input of 0 is the mean of ImageNet's first channel.
    assert (mouth.picture == round(0.485 * 255)).all()


def face_test(gap: float, *, centre: float, random: float, blank: bool = False) -> FaceFaithfulness:
    from core.faithfulness.insertion_deletion import Curves

    curves = Curves(np.array([0.0, 1.0]), np.array([[0.1, 0.9]]), np.array([[0.9, 0.1]]))
    return FaceFaithfulness(curves, gap, random, centre, blank)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (face_test(0.5, centre=0.2, random=0.0), "better than the fixed blob and than random"),
        (face_test(0.1, centre=0.2, random=0.0), "better than random maps only"),
        (face_test(0.1, centre=0.2, random=0.3), "no better than maps that know nothing"),
        (face_test(-0.1, centre=-0.2, random=-0.3), "no better than its reverse"),
        (face_test(0.5, centre=0.2, random=0.0, blank=True), "nothing to test"),
    ],
)
def test_the_outcome_on_one_face_is_told_with_its_controls(
    found: FaceFaithfulness, words: str
) -> None:
    assert words in faithfulness_view.verdict(found)


def test_both_curves_and_all_gaps_are_drawn() -> None:
    found = face_test(0.5, centre=0.25, random=-0.125)

    shown, hidden = faithfulness.answer_curves(found, "joy").data
    gaps = faithfulness.face_gap_bars(found).data[0]

    assert (list(shown.y), list(hidden.y)) == ([0.1, 0.9], [0.9, 0.1])
    assert list(gaps.x) == [0.5, 0.25, -0.125]
    assert list(gaps.text) == ["+0.500", "+0.250", "-0.125"]


def test_a_map_is_set_beside_the_fair_shares_of_all_combinations() -> None:
    said = parts_in_words.map_beside_shares
    shares = {"mouth": 0.6, "cheeks": 0.3, "nose": 0.1}

    assert said(shares, {"mouth": 1.452, "cheeks": 1.082, "nose": -0.2}) == (
        "The map puts the largest share of its evidence on the mouth (60.0 %), whose fair share is "
        "the largest, too (+1.452): hiding bears it out."
    )
    assert said(shares, {"mouth": 0.5, "cheeks": 1.082}) == (
        "The map puts the largest share of its evidence on the mouth (60.0 %), whose fair share is "
        "+0.500; the largest is that of the cheeks (+1.082)."
    )
    assert said(shares, {"mouth": -0.1, "cheeks": -0.2}).endswith("no part speaks for the answer.")
    assert said({}, {"mouth": 1.0}) == ""


def test_the_share_of_what_speaks_for_an_answer_inside_some_parts() -> None:
    values = {"mouth": 3.0, "cheeks": 1.0, "nose": -2.0}

    assert parts_in_words.share_within(values, ("mouth", "nose")) == 0.75
    assert parts_in_words.share_within(values, ()) == 0.0


def test_a_map_stands_beside_what_hiding_did() -> None:
    shares = {"cheeks": 0.4, "mouth": 0.3, "background": 0.05}
    said = parts_in_words.map_beside_hiding

    assert "on the cheeks (40.0 %), and hiding them costs the answer 25.0 points" in said(
        shares, {"cheeks": 0.25, "mouth": 0.1}
    )
    assert "bears it out; more is lost without the mouth" in said(
        shares, {"cheeks": 0.25, "mouth": 0.5}
    )
    assert "hiding them adds 0.2 points to the answer. No part alone decides" in said(
        shares, {"cheeks": -0.002, "mouth": 0.01}
    )
    assert "hiding it costs the answer 30.0 points: on this face hiding does not bear" in said(
        shares, {"cheeks": 0.01, "mouth": 0.3}
    ).replace("the mouth", "it")
    assert said({"cheeks": 0.0}, {"cheeks": 0.3}) == ""
