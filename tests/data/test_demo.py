from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from core.data import load_dataset, prepare
from core.data.demo import UNITS, draw_demo, draw_face
from core.labels import EMOTIONS


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.demo.COUNTS", {"train": 4, "test": 2})


def test_every_expression_is_drawn() -> None:
    assert set(UNITS) == set(EMOTIONS)


def test_one_seed_gives_one_drawing() -> None:
    first, again, other = (draw_face("fear", np.random.default_rng(seed)) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert first.shape == (96, 96, 3)
    assert np.abs(first.astype(int) - other).mean() > 5


def test_drawings_are_written_once(tmp_path: Path, few: None) -> None:
    first = draw_demo(tmp_path).stat().st_mtime_ns

    assert draw_demo(tmp_path).stat().st_mtime_ns == first


def test_prepare_demo_gives_all_six_expressions(tmp_path: Path, few: None) -> None:
    prepare(["demo"], tmp_path / "demo")

    dataset = load_dataset(tmp_path / "demo")
    counts = dataset.info["counts"]["demo"]
    assert counts == {
        "train": dict.fromkeys(EMOTIONS, 4),
        "test": dict.fromkeys(EMOTIONS, 2),
    }
    assert dataset.info["skipped"] == 0
    assert (dataset.manifest["group"] == -1).all()
    assert dataset.original(0).shape == (96, 96, 3)


def test_expressions_can_be_learnt_from_the_drawings() -> None:
    from core.preprocess import Preprocess

    dice = np.random.default_rng(7)
    pixels = Preprocess(size=32, crop=32).pixels
    faces = {
        split: np.stack([pixels(draw_face(name, dice)) for name in EMOTIONS for _ in range(count)])
        for split, count in (("train", 60), ("test", 15))
    }
    flat = {split: images.reshape(len(images), -1) / 255 for split, images in faces.items()}
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3)
    model.fit(flat["train"], np.repeat(np.arange(6), 60))

    accuracy = model.score(flat["test"], np.repeat(np.arange(6), 15))

    assert accuracy > 0.6  # chance is 0.17
