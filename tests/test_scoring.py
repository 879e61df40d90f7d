"""Whole folders: a row a file, the network's own probabilities, and a reason for every failure."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from photos import sample_photo

from core.batch_inference import Request, score_all
from core.errors import FaceError, ImageError
from core.images import read_image
from core.models import Card, build, save_weights
from core.predict import Predictor, softmax
from core.scoring import CHUNK, header, list_files, score_files
from core.types import Box

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """An untrained network; what it says does not matter, only that it is carried over."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(3)
    options = {"depth": 2, "width": 4}
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    card = Card(model="gimefive", labels=LABELS, model_options=options, temperature=2.0)
    card.save(folder / "card.json")
    return Predictor(folder)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "inner").mkdir()
    for number in range(5):
        pixels = rng.integers(0, 256, (70, 64 + number, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "inner" / f"{number}.png")
    (tmp_path / "notes.jpg").write_text("no picture")
    (tmp_path / ".hidden").write_text("")
    return tmp_path


def test_a_folder_is_listed_in_order_without_hidden_files(pictures: Path) -> None:
    names = [str(path.relative_to(pictures)) for path in list_files([pictures])]

    assert names == ["inner/0.png", "inner/1.png", "inner/2.png", "inner/3.png", "inner/4.png",
                     "notes.jpg"]  # fmt: skip


def test_missing_paths_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        list_files([tmp_path / "nowhere"])
    with pytest.raises(ImageError, match="no file"):
        list_files([tmp_path])


def test_every_file_gets_a_row_and_bad_ones_a_reason(predictor: Predictor, pictures: Path) -> None:
    scores = list(score_files(list_files([pictures]), predictor))

    assert [score.status for score in scores] == ["ok"] * 5 + ["unreadable"]
    assert scores[-1].prediction is None
    assert "notes.jpg" in scores[-1].error or "picture" in scores[-1].error


def test_a_link_to_nothing_gets_a_row_that_says_so(predictor: Predictor, pictures: Path) -> None:
    lost = pictures / "lost.jpg"
    lost.symlink_to(pictures / "gone.jpg")

    listed = list_files([pictures])
    (score,) = score_files(list_files([lost]), predictor)

    assert lost in listed
    assert score.status == "unreadable"
    assert "lost.jpg is a link to a file that is gone" in score.error


def test_the_scores_are_utf_8_in_any_locale_and_names_that_are_none_are_escaped(
    predictor: Predictor, tmp_path: Path
) -> None:
    code = """
import sys
from pathlib import Path
from core.batch_inference import Request, score_all
run, out, *files = sys.argv[1:]
score_all([Path(file) for file in files], out, Request(run, "torch"))
"""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    names = ["лицо.png".encode(), "笑顔.png".encode(), b"old \xfc.png"]
    files = [os.fsencode(tmp_path) + b"/" + name for name in names]
    for file in files:
        Path(os.fsdecode(file)).write_text("нет лица", encoding="utf-8")
    target = tmp_path / "scores.csv"

    subprocess.run(
        [sys.executable, "-c", code, predictor.folder, target, *files],
        env={**os.environ, **plain}, check=True,
    )  # fmt: skip

    lines = target.read_bytes().splitlines()
    shown = [*files[:2], os.fsencode(tmp_path) + rb"/old \xfc.png"]
    assert [line.split(b",")[0] for line in lines[1:]] == shown
    assert all("нет лица" in line.decode() for line in lines[1:])


def test_probabilities_are_the_networks_own_after_temperature(
    predictor: Predictor, pictures: Path
) -> None:
    path = pictures / "inner" / "3.png"
    (score,) = score_files([path], predictor)

    pixels = predictor.card.preprocess.pixels(read_image(path))
    expected = softmax(Predictor(predictor.folder, "torch").logits(pixels[None])[0] / 2.0)

    assert score.prediction is not None
    np.testing.assert_allclose(score.prediction.probabilities, expected, atol=1e-6)


def test_a_face_model_that_cannot_work_ends_the_run(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PIL.Image.fromarray(sample_photo()).save(tmp_path / "photo.png")
    monkeypatch.setenv("GIMEFIVE_LANDMARKS", str(tmp_path / "typo.dat"))

    with pytest.raises(FaceError, match=r"typo\.dat"):
        list(score_files([tmp_path / "photo.png"], predictor, faces="detect"))


def test_of_no_files_there_are_no_scores(predictor: Predictor) -> None:
    assert list(score_files([], predictor)) == []


def test_order_holds_over_many_chunks(predictor: Predictor, tmp_path: Path) -> None:
    files = []
    for number in range(2 * CHUNK + 3):
        path = tmp_path / f"{number:04d}.png"
        PIL.Image.fromarray(np.full((64, 64), number % 256, np.uint8)).save(path)
        files.append(path)
    steps: list[int] = []

    scores = list(score_files(files, predictor, faces="whole", on_progress=steps.append))

    assert [score.path for score in scores] == files
    assert steps == [CHUNK, 2 * CHUNK, 2 * CHUNK + 3]
    one, other = scores[1].prediction, scores[1 + 256].prediction
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-6)


def test_the_file_has_the_papers_columns_first_and_full_precision(
    predictor: Predictor, pictures: Path, tmp_path: Path
) -> None:
    scores = list(score_files(list_files([pictures]), predictor))
    target = tmp_path / "out" / "scores.csv"

    counts = score_all([pictures], str(target), Request(str(predictor.folder))).counts

    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert counts == {"ok": 5, "no_face": 0, "unreadable": 1, "more": 0, "turned": 0}
    assert list(rows[0]) == ["filepath", *LABELS, "predicted", "confidence", "face", "status",
                             "error", "read_as", "faces", "left", "top", "right", "bottom",
                             "note", "unclear"] == header(LABELS)  # fmt: skip
    first = scores[0].prediction
    assert first is not None
    assert [float(rows[0][label]) for label in LABELS] == first.probabilities.tolist()
    assert float(rows[0]["confidence"]) == first.confidence
    assert rows[-1]["status"] == "unreadable"
    assert rows[-1]["happiness"] == ""


def test_without_a_face_the_whole_picture_is_scored_and_said_so(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "sky.png"
    PIL.Image.fromarray(np.full((300, 400, 3), (90, 140, 220), np.uint8)).save(path)

    (score,) = score_files([path], predictor, faces="detect")
    (left_out,) = score_files([path], predictor)

    assert (score.status, score.face, score.read_as) == ("no_face", "whole", "whole")
    assert score.prediction is not None
    assert "whole picture" in score.error
    assert (left_out.status, left_out.read_as, left_out.faces) == ("no_face", "", 0)
    assert left_out.prediction is None
    assert left_out.error.startswith("No face was found.")
    assert left_out.error.endswith("It was not scored.")


def test_the_face_of_a_photo_is_found_and_cropped(predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "astronaut.png"
    PIL.Image.fromarray(sample_photo()).save(path)

    (score,) = score_files([path], predictor)
    (whole,) = score_files([path], predictor, faces="whole")

    assert score.status == "ok"
    assert score.face in ("blazeface", "dlib_hog")
    assert whole.face == "whole"
    assert score.prediction is not None
    assert whole.prediction is not None
    assert not np.allclose(score.prediction.logits, whole.prediction.logits)
    assert (score.read_as, whole.read_as) == ("face", "whole")
    assert score.box is not None
    assert score.box.overlap(Box(178, 78, 272, 174)) > 0.6


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """A photo with a face in its left half, and the same one mirrored in its right."""
    path = tmp_path / "group.png"
    photo = sample_photo()[:260, 90:400]
    PIL.Image.fromarray(np.hstack([photo, photo[:, ::-1]])).save(path)
    return path


def test_a_photo_of_two_faces_says_that_one_was_scored(predictor: Predictor, group: Path) -> None:
    (score,) = score_files([group], predictor)

    assert (score.status, score.read_as, score.faces) == ("ok", "face", 2)
    assert score.note == "2 faces were found; the largest was scored."


def test_every_face_can_have_a_row_with_its_box(
    predictor: Predictor, group: Path, tmp_path: Path
) -> None:
    request = Request(str(predictor.folder), all_faces=True)

    counts = score_all([group], str(tmp_path / "s.csv"), request).counts

    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert counts["ok"] == 2
    assert counts["more"] == 0
    middles = sorted((int(row["left"]) + int(row["right"])) / 2 for row in rows)
    assert middles == pytest.approx([135, 485], abs=8)
    assert all(int(row["top"]) < 125 < int(row["bottom"]) for row in rows)
    assert [row["faces"] for row in rows] == ["2", "2"]


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_photo_on_its_side_scores_as_the_upright_one_and_says_so(
    predictor: Predictor, tmp_path: Path, turned: int
) -> None:
    upright, lying = tmp_path / "upright.png", tmp_path / "lying.png"
    photo = sample_photo()[:300, 70:370]
    PIL.Image.fromarray(photo).save(upright)
    PIL.Image.fromarray(np.rot90(photo, turned // 90)).save(lying)

    first, second = score_files([upright, lying], predictor)

    assert (first.read_as, second.read_as) == ("face", f"face, turned {turned}")
    assert f"turned by {turned} degrees clockwise" in second.note
    assert first.box == second.box
    assert first.prediction is not None
    assert second.prediction is not None
    np.testing.assert_allclose(first.prediction.logits, second.prediction.logits, atol=1e-5)


def test_a_crop_is_read_whole_and_says_whether_a_face_was_seen(
    predictor: Predictor, tmp_path: Path
) -> None:
    tight, blank = tmp_path / "tight.png", tmp_path / "blank.png"
    PIL.Image.fromarray(sample_photo()[78:174, 178:274]).save(tight)
    PIL.Image.fromarray(np.full((96, 96, 3), 90, np.uint8)).save(blank)

    seen, unseen = score_files([tight, blank], predictor)
    whole = list(score_files([tight, blank], predictor, faces="whole"))

    assert [(one.status, one.read_as, one.faces) for one in (seen, unseen)] == [
        ("ok", "whole", 1),
        ("ok", "whole", 0),
    ]
    assert seen.note == ""
    assert unseen.note.startswith("No face was found; the picture is small")
    for one, other in zip((seen, unseen), whole, strict=True):
        assert one.prediction is not None
        assert other.prediction is not None
        np.testing.assert_allclose(one.prediction.logits, other.prediction.logits, atol=1e-6)


def test_a_picture_that_was_halved_says_in_whose_pixels_its_boxes_are(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.images.FULL_PIXELS", 200_000)
    monkeypatch.setattr("core.faces.finding.FULL_PIXELS", 200_000)
    sides = {"large": (512, 512), "small": (400, 400)}
    for name, (width, height) in sides.items():
        PIL.Image.fromarray(sample_photo()).resize((width, height)).save(tmp_path / f"{name}.png")

    large, small = score_files(list_files([tmp_path]), predictor)

    assert large.note == (
        "The picture has 512 x 512 pixels as stored; it was read in 256 x 256, and boxes and "
        "landmarks are in these."
    )
    assert large.box is not None
    assert small.box is not None
    assert small.note == ""
    assert large.box.width < small.box.width
