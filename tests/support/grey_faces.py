"""A prepared data set of plain grey squares, and a model that answers by their grey value."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.predictions import Predictions
from core.labels import CLASS_SETS, EMOTIONS
from core.models import Card
from core.types import Image

GREY_STEP = 40  # grey value of a class is its number times this


@dataclass(frozen=True)
class Row:
    """One picture: where it is from, where it belongs, what it is and what it looks like."""

    source: str
    split: str
    clean: str
    true: int
    shown: int
    twin: str = ""
    name: str = "face.png"


def write_dataset(
    folder: Path, rows: list[Row], data_hash: str, labels: tuple[str, ...] = EMOTIONS
) -> Path:
    """The files of a prepared data set; a picture's grey value says which class it looks like."""
    (folder / "splits").mkdir(parents=True)
    images = np.zeros((len(rows), 64, 64), np.uint8)
    for number, row in enumerate(rows):
        images[number] = row.shown * GREY_STEP
    np.save(folder / "images.npy", images)
    manifest = pd.DataFrame(
        {
            "id": range(len(rows)),
            "source": [row.source for row in rows],
            "split": [row.split for row in rows],
            "label": [labels[row.true] for row in rows],
            "path": [f"{row.source}.zip!{i}/{row.name}" for i, row in enumerate(rows)],
            "width": 64,
            "height": 64,
            "mode": "L",
            "pixel_hash": [f"{i:032x}" for i in range(len(rows))],
            "perceptual_hash": "0" * 16,
            "group": -1,
        }
    )
    manifest.to_csv(folder / "manifest.csv", index=False)
    (folder / "pairs.csv").write_text("first,second,exact,correlation\n")
    for name, parts in (
        ("published", [row.split for row in rows]),
        ("clean", [row.clean for row in rows]),
    ):
        reasons = [row.twin if name == "published" else "" for row in rows]
        table = pd.DataFrame({"id": range(len(rows)), "part": parts, "reason": reasons})
        table.to_csv(folder / "splits" / f"{name}.csv", index=False)
    counts: dict[str, dict[str, int]] = {row.source: {} for row in rows}
    class_set = next(name for name, known in CLASS_SETS.items() if known == labels)
    info = {"format": 1, "class_set": class_set, "labels": list(labels), "data_hash": data_hash}
    (folder / "dataset.json").write_text(json.dumps({**info, "counts": counts}))
    return folder


def rows_of(source: str, split: str, clean: str, pairs: list[tuple[int, int]]) -> list[Row]:
    """Pictures given as (true class, class they look like)."""
    return [Row(source, split, clean, true, shown) for true, shown in pairs]


class GreyAnswers:
    """Gives the class a grey square stands for the logit `strength`, all others 0."""

    def __init__(self, folder: Path, card: Card, strength: float = 2.0) -> None:
        self.folder, self.card, self.strength = folder, card, strength
        self.labels = card.labels

    def logits(self, pixels: Image) -> NDArray[np.float64]:
        shown = np.rint(pixels[:, 0, 0] / GREY_STEP).astype(int)
        logits: NDArray[np.float64] = self.strength * np.eye(7, len(self.labels))[shown]
        return logits


def new_run(
    root: Path,
    data: dict[str, object],
    *,
    run: str = "a-run",
    strength: float = 2.0,
    class_set: str = "six",
) -> GreyAnswers:
    """A run folder with a card that holds these facts about its data, and its model."""
    folder = root / run
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    card = Card(model="gimefive", labels=CLASS_SETS[class_set], data={"split": "clean", **data})
    card.save(folder / "card.json")
    return GreyAnswers(folder, card, strength)


def answers(
    true: list[int],
    probabilities: list[list[float]] | NDArray[np.float64],
    labels: tuple[str, ...] = ("happiness", "surprise", "sadness"),
    **columns: str | list[str],
) -> Predictions:
    """Predictions of so many images; other columns take defaults or the values given."""
    n = len(true)
    table = pd.DataFrame(
        {
            "path_hash": [f"{i:016x}" for i in range(n)],
            "pixel_hash": [f"{i:032x}" for i in range(n)],
            "source": "raf_db",
            "origin": "",
            "part": "test",
            "twin": "",
            "true": [labels[number] for number in true],
        }
    ).assign(**columns)
    scores = pd.DataFrame(np.asarray(probabilities, np.float64), columns=list(labels))
    return Predictions(labels, pd.concat([table, scores], axis=1))
