"""Badges say what was measured, and nothing where nothing was."""

from typing import Any

import numpy as np
import pytest

from core import Explanation
from webapp.faithfulness_badges import (
    Badge,
    badge_html,
    badges,
    layer_in_words,
    numbers,
    row_title,
)

UNMEASURED = Badge("not tested for this network", "gray")


def report(**entry: Any) -> dict[str, Any]:  # noqa: ANN401
    known = {"layer": "last", "n": 2388, "gap": 0.25, "ci": [0.125, 0.375]}
    facts = {"verdict": "beats its controls", "sanity": "passes"}
    control = {"gap": 0.0625, "ci": [0.0, 0.125]}
    return {
        "methods": {"grad_cam": {**known, **facts, "over_controls": {"centre": control}, **entry}},
        "controls": {"centre": control},
        "refused": {"cam": "CAM needs one linear layer. Use Grad-CAM."},
    }


def test_without_a_report_nothing_is_claimed() -> None:
    assert badges(None, "grad_cam", "last") == (UNMEASURED,)
    assert "Nothing was measured for this checkpoint" in numbers(None, "grad_cam", "last")


def test_a_method_that_beats_its_controls_is_green() -> None:
    assert badges(report(), "grad_cam", "last") == (
        Badge("on test faces: truer than blind maps", "green"),
    )


@pytest.mark.parametrize(
    ("entry", "control"),
    [
        ({}, "a fixed blob in the middle"),
        (
            {
                "over_controls": {
                    "random": {"gap": 0.2, "ci": [0.1, 0.3]},
                    "centre": {"gap": -0.1, "ci": [-0.125, -0.0625]},
                    "other_face": {"gap": 0.0, "ci": [-0.0625, 0.0625]},
                }
            },
            "a fixed blob in the middle",
        ),
        ({"over_controls": {"other_face": {"gap": 0.0, "ci": [-0.1, 0.1]}}}, "another face's map"),
        ({"gap": 0.01, "ci": [-0.1, 0.12]}, "chance"),
        ({"over_controls": {}}, "blind maps"),
    ],
)
def test_a_method_that_does_not_is_orange_and_says_what_is_as_true(
    entry: dict[str, Any], control: str
) -> None:
    known = report(verdict="does not beat its controls", **entry)

    assert badges(known, "grad_cam", "last") == (
        Badge(f"on test faces: no truer than {control}", "orange"),
    )


def test_a_verdict_nobody_knows_is_no_praise() -> None:
    assert badges(report(verdict="?"), "grad_cam", "last")[0].colour == "orange"


def test_a_map_that_ignores_the_weights_is_called_so() -> None:
    found = badges(report(sanity="fails"), "grad_cam", "last")

    assert found[1] == Badge("barely depends on the weights", "orange")


def test_a_method_that_ignores_the_expression_is_called_so() -> None:
    known = report()
    known["methods"]["activation"] = known["methods"]["grad_cam"]

    assert badges(known, "activation", "last")[1].words == "the same for every expression"


def test_figures_hold_for_the_layer_they_were_measured_at_only() -> None:
    assert badges(report(), "grad_cam", "first") == (Badge("not measured at this layer", "gray"),)
    assert badges(report(), "layer_cam", "last") == (UNMEASURED,)
    assert "at this layer" in numbers(report(), "grad_cam", "first")


def test_the_numbers_are_told_with_their_intervals() -> None:
    text = numbers(report(average_drop=0.5), "grad_cam", "last")

    assert "2,388 test faces" in text
    assert "| gap | +0.250 (+0.125 to +0.375) |" in text
    assert "| gap of a fixed blob in the middle | +0.062 (+0.000 to +0.125) |" in text
    assert "| ahead of a fixed blob in the middle by | +0.062 (+0.000 to +0.125) |" in text
    assert "| average drop | 50.0 % |" in text


@pytest.mark.parametrize(("faces", "said"), [(2388, ""), (3000, ", on these faces,")])
def test_a_lead_measured_on_fewer_faces_than_the_controls_gap_says_so(
    faces: int, said: str
) -> None:
    text = numbers({**report(), "n": faces}, "grad_cam", "last")

    assert f"| ahead of a fixed blob in the middle{said} by | +0.062" in text


def test_the_control_of_another_face_is_grad_cam_s_but_the_lead_is_over_the_methods_own() -> None:
    lead = {"gap": 0.0625, "ci": [0.0, 0.125]}
    shown = report(over_controls={"other_face": lead})
    shown["controls"] = {"other_face": lead}

    text = numbers(shown, "grad_cam", "last")

    assert "| gap of another face's Grad-CAM | +0.062" in text
    assert "| ahead of the method's own map of another face by | +0.062" in text


def test_a_refused_method_says_why() -> None:
    assert numbers(report(), "cam", "last") == "CAM needs one linear layer. Use Grad-CAM."


@pytest.mark.parametrize("words", ["beats its controls", "<b>"])
def test_badges_are_safe_html(words: str) -> None:
    html = badge_html(Badge(words, "green"))

    assert words.replace("<", "&lt;").replace(">", "&gt;") in html
    assert "<b>" not in html


def test_a_method_that_misses_a_planted_mark_and_one_that_passes_in_part_are_marked() -> None:
    known = report(sanity="partly")
    known["planted"] = {"area": 0.1, "shares": {"grad_cam": {"share": 0.12, "ci": [0.08, 0.16]}}}

    words = [badge.words for badge in badges(known, "grad_cam", "last")]

    assert "misses a planted mark" in words
    assert "depends on the weights in part only" in words
    known["planted"]["area"] = 0.07
    assert "misses a planted mark" not in [
        badge.words for badge in badges(known, "grad_cam", "last")
    ]


def test_a_row_says_how_fine_its_map_is_and_names_the_layer_only_where_asked() -> None:
    maps = np.zeros((1, 4, 6), np.float32)
    coarse = Explanation("grad_cam", "stage4.0.conv2", ("fear",), maps)
    pixels = Explanation("saliency", "input", ("fear",), maps)

    assert row_title(coarse) == "Grad-CAM, map of 6 x 4 fields"
    assert row_title(coarse, named=True) == "Grad-CAM at stage4.0.conv2"
    assert row_title(pixels) == row_title(pixels, named=True) == "Saliency"


def test_the_layers_own_name_is_a_sentence_of_the_details() -> None:
    assert layer_in_words("stage4.0.conv2") == (
        "Taken at the layer named stage4.0.conv2 inside the network."
    )
    assert layer_in_words("input") == ""
