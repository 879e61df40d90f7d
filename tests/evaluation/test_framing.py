"""Scores of the same faces in other framings."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from numpy.typing import NDArray
from typer.testing import CliRunner

from core.cli import results
from core.data import Dataset, load_dataset, prepare
from core.data.frames import FILE
from core.errors import DataError
from core.evaluation import framing_scores
from core.labels import EMOTIONS
from core.models import Card
from core.types import Image

FACES = 60


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Noise labelled happiness: its middle is bright, and what lies around it dark."""
    root = tmp_path_factory.mktemp("framing")
    (root / "faces" / "happy").mkdir(parents=True)
    dice = np.random.default_rng(0)
    for number in range(FACES):
        coarse = dice.integers(0, 100, (8, 8), dtype=np.uint8)
        picture = cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_NEAREST)
        picture[16:48, 16:48] += 140
        cv2.imwrite(str(root / "faces" / "happy" / f"{number}.png"), picture)
    return prepare([str(root / "faces")], root / "data", workers=1)


def keep_frames(dataset: Dataset, known: int) -> None:
    """Frames around the bright middle of the first validation faces."""
    maps = np.full((FACES, 2, 3), np.nan, np.float32)
    rows = dataset.ids("clean", "valid")[:known]
    maps[rows] = np.array([[0.5, 0, 0], [0, 0.5, 0]])
    np.savez(
        dataset.folder / FILE,
        maps=maps,
        looked=np.ones(FACES, bool),
        data_hash=np.array(dataset.data_hash),
    )


@dataclass(frozen=True)
class CornerAnswers:
    """Answers happiness where the corner is bright, else surprise."""

    folder: Path
    labels: tuple[str, ...] = EMOTIONS

    @property
    def card(self) -> Card:
        return Card(model="gimefive", labels=self.labels)

    def logits(self, pixels: Image) -> NDArray[np.float64]:
        logits = np.zeros((len(pixels), 6))
        bright = pixels[:, :4, :4].mean(axis=(1, 2)) > 120
        logits[np.arange(len(pixels)), np.where(bright, 0, 1)] = 5
        return logits


def test_a_network_that_needs_the_frame_is_right_only_in_it(dataset: Dataset) -> None:
    keep_frames(dataset, 4)

    published, tight, wide = framing_scores(
        CornerAnswers(dataset.folder), dataset.folder, margins=(-0.05, 0.2)
    )

    assert [score.margin for score in (published, tight, wide)] == [None, -0.05, 0.2]
    assert [score.accuracy for score in (published, tight, wide)] == [0, 1, 0]
    assert [score.macro_f1 for score in (published, tight, wide)] == [0, 1, 0]
    assert {score.n for score in (published, tight, wide)} == {4}
    assert {score.source for score in (published, tight, wide)} == {"folder"}


def test_progress_ends_at_all_faces_in_all_framings(dataset: Dataset) -> None:
    keep_frames(dataset, 3)
    seen: list[tuple[int, int]] = []

    framing_scores(
        CornerAnswers(dataset.folder),
        dataset.folder,
        on_progress=lambda done, total: seen.append((done, total)),
    )

    assert seen == [(3, 12), (6, 12), (9, 12), (12, 12)]


def test_without_frames_the_way_to_them_is_said(dataset: Dataset) -> None:
    (dataset.folder / FILE).unlink(missing_ok=True)
    with pytest.raises(DataError, match="python -m core frame"):
        framing_scores(CornerAnswers(dataset.folder), dataset.folder)

    keep_frames(dataset, 0)
    with pytest.raises(DataError, match="python -m core frame"):
        framing_scores(CornerAnswers(dataset.folder), dataset.folder)


def test_other_classes_are_refused(dataset: Dataset) -> None:
    model = CornerAnswers(dataset.folder, labels=(*EMOTIONS, "neutral"))

    with pytest.raises(DataError, match="and neutral is wanted as well"):
        framing_scores(model, dataset.folder)


def test_the_command_prints_a_row_a_framing(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_frames(load_dataset(dataset.folder), 4)
    monkeypatch.setattr("core.predict.Predictor.load", lambda folder: CornerAnswers(folder))
    app = typer.Typer()
    app.command()(results.framing)

    shown = CliRunner().invoke(app, ["default", "--data", str(dataset.folder)])
    values = CliRunner().invoke(app, ["default", "--data", str(dataset.folder), "--json", "-"])

    assert shown.exit_code == values.exit_code == 0
    assert "published" in shown.stdout
    assert "app +8%" in shown.stdout
    assert [one["margin"] for one in json.loads(values.stdout)] == [None, 0.0, 0.08, 0.16]
