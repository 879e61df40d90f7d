"""Rows of scored files: their small pictures, labels and names."""

import base64
import os
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from scored_pictures import small_run

from core import Box
from core.images import decode
from core.predict import Predictor
from core.scoring import Score
from webapp.folder_scores.scored import Scored, score, thumbnail


def test_a_labelled_picture_counts_once_however_many_faces_it_has() -> None:
    rows = [("joy/a.png", "joy", "joy", 0.9), ("joy/a.png", "joy", "fear", 0.2)]
    rows += [("fear/b.png", "fear", "joy", 0.7), ("c.png", "", "joy", 0.8)]
    table = pd.DataFrame(
        [
            {"file": file, "label": label, "answer": answer, "joy": share, "fear": 1 - share}
            for file, label, answer, share in rows
        ]
    )

    found = Scored(("joy", "fear"), table, "").predictions()

    assert found.table["true"].tolist() == ["joy", "fear"]
    assert found.table["joy"].tolist() == [0.9, 0.7]  # of the first row, the largest face


@pytest.mark.parametrize(
    ("read_as", "box"), [("face", Box(10, 20, 30, 40)), ("face, turned 90", Box(40, 10, 60, 30))]
)
def test_of_a_face_only_the_face_is_shown(tmp_path: Path, read_as: str, box: Box) -> None:
    picture = np.full((80, 100, 3), 255, np.uint8)
    picture[20:40, 10:30] = 0, 160, 0  # turned clockwise, row 20 is column 80 - 40
    path = tmp_path / "two.png"
    PIL.Image.fromarray(picture).save(path)

    drawn = thumbnail(path, Score(path, None, "auto", "ok", read_as=read_as, box=box))

    seen = decode(base64.b64decode(drawn.partition(",")[2]))
    np.testing.assert_allclose(seen.reshape(-1, 3).mean(axis=0), [0, 160, 0], atol=6)
    whole = decode(base64.b64decode(thumbnail(path).partition(",")[2]))
    assert whole.mean() > 200


def test_a_name_that_is_no_text_stands_in_a_table_that_is(tmp_path: Path) -> None:
    predictor = Predictor(small_run(tmp_path), "torch")
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    odd.write_bytes(b"no picture")

    found = score([odd], tmp_path, predictor, "whole", lambda done: None)

    assert found.csv.encode().splitlines()[1].startswith(rb"caf\xe9.jpg,")
    assert found.table["file"].tolist() == [r"caf\xe9.jpg"]
