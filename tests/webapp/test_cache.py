"""A checkpoint is loaded once for all, in the background, and again after a repair."""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st

from core import CheckpointError
from core.images import decode
from core.predict import Predictor
from webapp import cache
from webapp.inputs import sample_picture


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were really loaded."""
    original = Predictor.load
    folders: list[Path] = []

    def counting(folder: Path) -> Predictor:
        folders.append(folder)
        return original(folder)

    monkeypatch.setattr(Predictor, "load", counting)
    return folders


def test_many_visitors_share_one_load(
    made_checkpoint: Callable[..., Path], loads: list[Path]
) -> None:
    folder = made_checkpoint()

    with ThreadPoolExecutor(4) as visitors:
        found = list(visitors.map(cache.predictor, [folder] * 4))

    assert loads == [folder]
    assert {id(one) for one in found} == {id(found[0])}


def test_warming_up_returns_at_once_and_loads_the_default(
    made_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_checkpoint()
    allowed, original = threading.Event(), Predictor.load

    def waiting(folder: Path) -> Predictor:
        allowed.wait(30)
        return original(folder)

    monkeypatch.setattr(Predictor, "load", waiting)

    cache.warm_up()  # would hang for ever if it waited for the load
    allowed.set()

    assert cache.predictor(folder).folder == folder


def test_garbage_is_not_looked_for_among_what_a_load_brought(
    made_checkpoint: Callable[..., Path],
) -> None:
    gc.unfreeze()

    loaded = cache.predictor(made_checkpoint())

    assert not any(one is loaded for one in gc.get_objects())
    gc.unfreeze()
    assert any(one is loaded for one in gc.get_objects())


def test_warming_up_without_a_checkpoint_does_nothing(
    own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loads: list[Path]
) -> None:
    monkeypatch.setattr("core.checkpoints.SHIPPED", tmp_path / "none")

    cache.warm_up()

    assert loads == []


def test_a_load_that_failed_is_tried_again(made_checkpoint: Callable[..., Path]) -> None:
    folder = made_checkpoint()
    weights = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(weights[:100])
    with pytest.raises(CheckpointError, match="damaged"):
        cache.predictor(folder)

    (folder / "weights.safetensors").write_bytes(weights)

    assert cache.predictor(folder).labels[1] == "surprise"


def test_the_map_follows_the_brightness_of_the_face(
    made_checkpoint: Callable[..., Path],
) -> None:
    """The made network's only feature is brightness above the mean: so is its Grad-CAM map."""
    folder = made_checkpoint(weight=1.0)

    model = cache.predictor(folder)
    face = model.analyse(decode(sample_picture().data)).faces[0]

    pixels = model.card.preprocess.pixels(face.face.crop)
    assert face.explanation is not None
    evidence = face.explanation.map_of("surprise")
    bright = pixels / 255 > 0.485  # the mean of the first channel
    assert evidence.shape == pixels.shape
    assert (evidence > 0).tolist() == bright.tolist()
    assert face.explanation.is_blank("happiness")
