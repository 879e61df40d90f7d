"""Weights and cards: what goes in comes out, and damage is told in one sentence."""

import json
from pathlib import Path

import pytest
import torch

from core.errors import CheckpointError
from core.models import Card, build, load_model, save_weights
from core.preprocess import Preprocess

OPTIONS = {"depth": 2, "width": 4}
LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = build("gimefive", 6, **OPTIONS)
    save_weights(model.state_dict(), tmp_path / "weights.safetensors", half=False)
    Card(model="gimefive", labels=LABELS, model_options=OPTIONS).save(tmp_path / "card.json")
    return tmp_path


def test_a_model_comes_back_in_eval_mode_with_its_weights(folder: Path) -> None:
    torch.manual_seed(0)
    original = build("gimefive", 6, **OPTIONS).eval()
    batch = torch.randn(2, 3, 16, 16)

    model, card = load_model(folder)

    assert not model.training
    assert card.labels == LABELS
    torch.testing.assert_close(model(batch), original(batch))


def test_half_precision_narrows_kernels_and_spares_statistics(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    model = build("gimefive", 6, **OPTIONS)
    model.get_buffer("blocks.block1.bn.running_var").fill_(1e-9)  # would vanish as float16

    save_weights(model.state_dict(), tmp_path / "weights.safetensors")

    state = load_file(tmp_path / "weights.safetensors")
    assert state["blocks.block1.conv.weight"].dtype == torch.float16
    assert state["blocks.block1.bn.running_var"].dtype == torch.float32
    assert float(state["blocks.block1.bn.running_var"][0]) == pytest.approx(1e-9)


def test_a_card_with_another_class_count_is_refused_by_name(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    card["labels"] = card["labels"][:4]
    (folder / "card.json").write_text(json.dumps(card))

    with pytest.raises(CheckpointError, match="4 classes"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("card.json", None, "no card.json"),
        ("card.json", b"{", "cannot be read"),
        ("weights.safetensors", None, "no weights.safetensors"),
        ("weights.safetensors", b"nonsense", "damaged"),
    ],
)
def test_missing_and_damaged_files_are_named(
    folder: Path, name: str, content: bytes | None, words: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    with pytest.raises(CheckpointError, match=words):
        load_model(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", ["a", "a"]),
        ("temperature", 0.0),
        ("preprocess", {"size": 64}),
        ("model", "alexnet"),
        ("surprise", 1),
    ],
)
def test_a_card_that_says_what_cannot_be_is_refused(folder: Path, key: str, value: object) -> None:
    card = json.loads((folder / "card.json").read_text())
    card[key] = value
    (folder / "card.json").write_text(json.dumps(card))

    with pytest.raises(CheckpointError, match="card"):
        load_model(folder)


def test_a_card_survives_its_own_file(tmp_path: Path) -> None:
    card = Card(
        model="mini_xception",
        labels=("a", "b"),
        preprocess=Preprocess(48, 44, (0.5,), (0.25,)),
        temperature=1.5,
        threshold=0.4,
    )

    card.save(tmp_path / "card.json")

    assert Card.load(tmp_path / "card.json") == card
