"""Files to take away hold every number and every file."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_results import LABELS, face_result, image_result
from photos import sample_photo

from core import Box, Prediction
from core.images import png_bytes
from core.predict import Predictor
from core.scoring import FacesMode, as_row, header, score_files
from core.types import WHOLE
from webapp.cache import Answer, answers_of
from webapp.image_explanation.outcome import Outcome, _summary, numbers_json, scores_csv

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


def test_the_box_of_pictures_says_of_each_face_what_its_card_says() -> None:
    sure, unsure = (Prediction(LABELS, THIRD, np.log(THIRD), threshold=at) for at in (0.4, 0.9))
    found = Outcome("two.jpg", (Answer(sure, "haar"), Answer(unsure, "haar")))

    assert _summary(found) == "two.jpg: surprise, unclear"
    assert _summary(Outcome("none.jpg")) == "none.jpg: no face found"


@pytest.mark.parametrize("asked", ["auto", WHOLE])
@pytest.mark.parametrize("kind", ["noise", "sideways", "crop", "photo"])
def test_a_photo_has_the_row_that_the_command_gives_it(
    made_checkpoint: Callable[..., Path], tmp_path: Path, kind: str, asked: str
) -> None:
    predictor = Predictor(made_checkpoint(weight=1.0))
    photo = sample_photo()
    image = {
        "noise": np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8),
        "sideways": np.ascontiguousarray(np.rot90(photo)),
        "crop": np.ascontiguousarray(photo[30:180, 150:300]),
        "photo": photo,
    }[kind]
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(image))
    mode: FacesMode = "whole" if asked == WHOLE else "auto"

    result = predictor.analyse(image, method=None, whole=asked == WHOLE)
    text = scores_csv([Outcome(str(path), answers_of(result, asked))], predictor.labels)

    (expected,) = score_files([path], predictor, faces=mode)
    told = dict(zip(header(predictor.labels), as_row(expected, predictor.labels), strict=True))
    (row,) = csv.DictReader(io.StringIO(text))
    numbers = (*predictor.labels, "confidence")
    assert [float(row.pop(name)) for name in numbers] == pytest.approx(
        [float(told.pop(name)) for name in numbers], abs=1e-5
    )
    assert row == told


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
