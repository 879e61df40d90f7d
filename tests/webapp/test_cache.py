"""A checkpoint is loaded once for all, in the background, and again after a repair."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

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


def twice(weights: str) -> None:
    """A page that asks for everything a second time, in another way."""
    from dataclasses import replace
    from pathlib import Path

    import streamlit as st
    from skimage.data import data_dir

    from core.types import WHOLE
    from webapp.image_explanation.subject import Subject, parts, sets_of_parts
    from webapp.inputs import Picture

    folder, content = Path(weights).parent, (Path(data_dir) / "astronaut.png").read_bytes()
    first, renamed, other = (
        Subject(folder, picture, WHOLE, 0, "grad_cam")
        for picture in (
            Picture("a.png", content),
            Picture("b.png", content),
            Picture("a.png", content + b" "),
        )
    )
    at_block = replace(first, layer="blocks.block1")
    st.session_state["same"] = [
        first.face is renamed.face,
        first.explanation() is renamed.explanation(),
        sets_of_parts(first) is sets_of_parts(renamed.by("layer_cam")),
        parts(first, all_sets=False) is parts(renamed, all_sets=False),
    ]
    st.session_state["apart"] = [
        first.face is not other.face,
        first.explanation() is not first.by("layer_cam").explanation(),
        first.explanation() is not at_block.explanation(),
        parts(first, all_sets=False) is not parts(first, all_sets=True),
        parts(first, all_sets=False) is not parts(first.by("layer_cam"), all_sets=False),
        sets_of_parts(first) is not sets_of_parts(other),
    ]


def test_what_was_computed_is_kept_by_content_face_and_method(
    made_checkpoint: Callable[..., Path],
) -> None:
    folder = made_checkpoint(weight=1.0)
    page = AppTest.from_function(twice, default_timeout=120, args=(str(folder / "card.json"),))

    page.run()

    assert not page.exception
    assert page.session_state["same"] == [True] * 4
    assert page.session_state["apart"] == [True] * 6


def test_the_map_follows_the_brightness_of_the_face(
    made_checkpoint: Callable[..., Path],
) -> None:
    """The made network's only feature is brightness above the mean: so is its Grad-CAM map."""
    folder = made_checkpoint(weight=1.0)

    model = cache.predictor(folder)
    face = model.analyse(decode(sample_picture().data), method="grad_cam").faces[0]

    pixels = model.card.preprocess.pixels(face.face.crop)
    assert face.explanation is not None
    evidence = face.explanation.map_of("surprise")
    bright = pixels / 255 > 0.485  # the mean of the first channel
    assert evidence.shape == pixels.shape
    assert (evidence > 0).tolist() == bright.tolist()
    assert face.explanation.is_blank("happiness")


def test_a_checkpoint_is_loaded_again_when_it_was_measured(
    made_checkpoint: Callable[..., Path], loads: list[Path]
) -> None:
    folder = made_checkpoint()
    cache.predictor(folder)
    (folder / "faithfulness.json").write_text("{}")
    os.utime(folder / "faithfulness.json", (2e9, 2e9))

    cache.predictor(folder)

    assert loads == [folder, folder]
    (folder / "reference.safetensors").touch()
    os.utime(folder / "reference.safetensors", (3e9, 3e9))
    assert cache._modified(folder) == 3e9
