"""An untrained network and prepared pictures of noise, for what needs a run with its data."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core import EMOTIONS
from core.models import Card, build, load_model, save_weights
from core.preprocess import Preprocess

OPTIONS = {"depth": 2, "width": 4, "fc_depth": 1}
COUNT = 10


def save_run(folder: Path, **options: int) -> Path:
    """An untrained network with its card; returns its folder."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    facts = {"name": "noise", "data_hash": "abc", "sources": ["noise"]}
    Card(model="gimefive", labels=EMOTIONS, model_options=options, data=facts).save(
        folder / "card.json"
    )
    return folder


def save_manifest(data: Path, run: Path, shift: list[int]) -> None:
    """Label every picture as the network answers, moved on by so many classes."""
    model, _ = load_model(run)
    images = np.load(data / "images.npy")
    with torch.no_grad():
        answers = model(torch.from_numpy(Preprocess().normalise(images))).argmax(1).tolist()
    labels = [EMOTIONS[(answer + by) % 6] for answer, by in zip(answers, shift, strict=True)]
    facts = {"id": range(COUNT), "source": "noise", "split": "test", "label": labels}
    table = pd.DataFrame({**facts, "path": "x", "mode": "L", "pixel_hash": "x"})
    table.assign(perceptual_hash="x").to_csv(data / "manifest.csv", index=False)


def save_data(root: Path, run: Path, parts: list[str] | None = None) -> Path:
    """Noise, of which every second picture is labelled as the network answers.

    Args:
        root: The folder of all data, in which "noise" is made.
        run: The network asked.
        parts: Part of each picture; None makes all of them test pictures.

    Returns:
        The folder made.
    """
    folder = root / "noise"
    (folder / "splits").mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (COUNT, 64, 64), dtype=np.uint8)
    np.save(folder / "images.npy", images)
    save_manifest(folder, run, [0, 1] * (COUNT // 2))
    (folder / "pairs.csv").write_text("first,second,exact,correlation\n")
    for name in ("published", "clean"):
        part = "test" if parts is None else parts
        split = pd.DataFrame({"id": range(COUNT), "part": part, "reason": ""})
        split.to_csv(folder / "splits" / f"{name}.csv", index=False)
    facts = {"data_hash": "abc", "counts": {"noise": {}}, "sources": []}
    (folder / "dataset.json").write_text(json.dumps({"format": 1, "labels": EMOTIONS, **facts}))
    return folder
