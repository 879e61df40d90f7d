"""What the page of folder scores says of pictures whose names carry no label."""

import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.labels import EMOTIONS, label_in_name
from webapp.folder_scores.scored import Scored


def scored(*files: str) -> Scored:
    rows = [
        {
            "picture": "",
            "file": file,
            "label": label_in_name(file, EMOTIONS) or "",
            "answer": "fear",
            "confidence": 0.5,
            **dict.fromkeys(EMOTIONS, 0.1),
            "fear": 0.5,
            "status": "ok",
            "note": "",
        }
        for file in files
    ]
    return Scored(EMOTIONS, pd.DataFrame(rows), "")


def shown(scores: Scored) -> AppTest:
    def page(scores: "Scored") -> None:
        from webapp.folder_scores.scored import show_scores

        show_scores(scores, [])

    found = AppTest.from_function(page, args=(scores,), default_timeout=60).run()
    assert not found.exception
    return found


def test_labelled_pictures_are_compared_and_the_others_are_said_with_their_folders() -> None:
    page = shown(scored("happy/1.png", "happy/2.png", "wut/3.png", "wut/4.png", "neutral/5.png"))
    assert not page.metric

    more = [f"angry/{number}.png" for number in range(6, 9)]
    page = shown(scored("happy/1.png", "wut/3.png", "wut/4.png", "neutral/5.png", *more))

    assert page.metric[0].value == "0.0 %"
    (said,) = [info.value for info in page.info]
    assert said.startswith(
        "3 answers have no label that this network knows, and are left out of these figures. "
        "By folder: wut 2, neutral 1. A label is"
    )
    assert "happiness (happy, joy, joyful), surprise (surprised)" in said
    assert any("under 30, too few for an interval" in one.value for one in page.caption)


def test_too_few_labels_are_said_to_be_too_few() -> None:
    (said,) = [
        info.value for info in shown(scored("happy/1.png", "2.png", "x/b/3.png", "4.png")).info
    ]

    assert said.startswith(
        "3 answers have no label that this network knows, so there are too few labels to compare "
        "with. By folder: none 2, x/b 1. A label is"
    )


def test_a_single_answer_without_a_label_is_told_as_one() -> None:
    (said,) = [info.value for info in shown(scored("happy/1.png", "sad/2.png", "3.png")).info]

    assert said.startswith(
        "1 answer has no label that this network knows, and is left out of these figures. A label"
    )


@pytest.mark.parametrize("names", [("1.png", "2.png"), ("sad/1.png", "x_happy.png")])
def test_without_any_label_a_caption_will_do_and_with_all_there_is_nothing_to_say(
    names: tuple[str, ...],
) -> None:
    page = shown(scored(*names))

    assert not page.info
    told = [one.value for one in page.caption if re.match("2 answers have no label", one.value)]
    assert len(told) == (names[0] == "1.png")
