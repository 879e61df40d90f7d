"""Files to take away hold every number and every file."""

import csv
import io
import json

import numpy as np
import pytest
from made_results import LABELS, face_result, image_result

from core import Box, Prediction
from webapp.cache import Answer
from webapp.image_explanation.outcome import Outcome, numbers_json, scores_csv

THIRD = np.array([1 / 3, 2 / 3 - 1 / 7, 1 / 7])


def answer() -> Answer:
    return Answer(Prediction(LABELS, THIRD, np.log(THIRD)), "haar")


def rows(*outcomes: Outcome) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(scores_csv(outcomes, LABELS))))


def test_scores_keep_every_digit_and_the_order_of_the_paper() -> None:
    text = scores_csv([Outcome("a.jpg", (answer(),))], LABELS)

    assert text.splitlines()[0].startswith("filepath,happiness,surprise,sadness,predicted")
    row = rows(Outcome("a.jpg", (answer(),)))[0]
    assert [float(row[label]) for label in LABELS] == THIRD.tolist()
    assert (row["predicted"], row["face"], row["status"]) == ("surprise", "haar", "ok")


def test_every_face_and_every_file_has_a_row() -> None:
    found = rows(
        Outcome("two.jpg", (answer(), answer())),
        Outcome("none.jpg"),
        Outcome('bad, "very".jpg', error="Found text; expected a picture."),
    )

    assert [(row["filepath"], row["status"]) for row in found] == [
        ("two.jpg", "ok"),
        ("two.jpg", "ok"),
        ("none.jpg", "no_face"),
        ('bad, "very".jpg', "unreadable"),
    ]
    assert found[3]["error"] == "Found text; expected a picture."
    assert found[3]["happiness"] == ""


def test_numbers_hold_boxes_probabilities_and_all_maps() -> None:
    result = image_result(face_result(Box(40, 30, 80, 70), strength=0.75, landmarks=True))

    content = json.loads(numbers_json(result, "a.jpg", "mine"))

    face = content["faces"][0]
    assert (content["image"], content["checkpoint"]) == ("a.jpg", "mine")
    assert (content["method"], content["layer"]) == ("grad_cam", "made")
    assert face["box"] == [40, 30, 80, 70]
    assert face["probabilities"] == pytest.approx(
        {"happiness": 0.25, "surprise": 0.625, "sadness": 0.125}
    )
    assert face["maps"]["surprise"] == [[0.75] * 4] * 4
    assert face["blank"] == {"happiness": True, "surprise": False, "sadness": True}
    assert len(face["landmarks"]) == 68
