"""Weights to start from: one checkpoint's, or one of each for the columns of a network."""

from pathlib import Path

import pytest
import torch
from torch import nn

from core.errors import ConfigError, TrainingError
from core.models import Card, build, save_weights
from core.preprocess import Preprocess
from core.training import RunConfig
from core.training.fine_tuning import Parent, origin, start_from

OPTIONS = {"width": 8}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    return tmp_path


def stored(name: str, runs: Path, data_hash: str = "same", seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    network = build("resnet14", 6, **OPTIONS).eval()
    labels = RunConfig().labels
    data = {"name": "faces", "data_hash": data_hash, "split": "clean"}
    (runs / name).mkdir()
    save_weights(network.state_dict(), runs / name / "weights.safetensors")
    card = Card("resnet14", labels, Preprocess(), model_options=OPTIONS, data=data)
    card.save(runs / name / "card.json")
    return network


def config(initial: str, columns: int, model: str = "resnet14") -> RunConfig:
    return RunConfig(model=model, model_options=OPTIONS | {"columns": columns}, initial=initial)


def test_two_checkpoints_fill_two_columns(runs: Path) -> None:
    members = [stored("one", runs, seed=1), stored("two", runs, seed=2)]
    pair = build("resnet14", 6, **OPTIONS, columns=2).eval()

    origin = start_from(pair, config("one+two", 2))

    batch = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        expected = sum(member(batch) for member in members) / 2
        torch.testing.assert_close(pair(batch), expected, rtol=0, atol=2e-3)  # stored in halves
    assert origin == {
        "checkpoint": "one+two", "name": "faces", "data_hash": "same", "split": "clean",
        "sources": [],
    }  # fmt: skip


def test_the_default_is_told_by_its_name(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored("one", runs)
    monkeypatch.setattr("core.checkpoints.DEFAULT_CHECKPOINT", "one")

    origin = start_from(build("resnet14", 6, **OPTIONS), RunConfig("resnet14", OPTIONS, "default"))

    assert origin["checkpoint"] == "one"


def test_origins_that_differ_are_not_told_as_one(runs: Path) -> None:
    stored("one", runs)
    stored("two", runs, data_hash="other")

    origin = start_from(build("resnet14", 6, **OPTIONS, columns=2), config("one+two", 2))

    assert (origin["data_hash"], origin["split"]) == (None, "clean")


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ({"sources": ["ck_plus"]}, ["ck_plus", "raf_db"]),
        (
            {"sources": ["ck_plus"], "initial": {"sources": ["tfeid"]}},
            ["ck_plus", "raf_db", "tfeid"],
        ),
        ({"sources": []}, []),
        ({"sources": ["ck_plus"], "initial": {"sources": []}}, []),
    ],
    ids=["both", "with what one began with", "all", "all at the beginning"],
)
def test_an_origin_knows_all_sources_that_shaped_it(
    second: dict[str, object], found: list[str]
) -> None:
    network = build("resnet14", 6, **OPTIONS)
    cards = [
        Card("resnet14", RunConfig().labels, data=data)
        for data in ({"sources": ["raf_db"]}, second)
    ]

    assert origin([Parent("a run", network, card) for card in cards])["sources"] == found


def test_too_few_checkpoints_are_told(runs: Path) -> None:
    stored("one", runs)
    stored("two", runs)

    with pytest.raises(ConfigError, match="2 networks for 3 columns"):
        start_from(build("resnet14", 6, **OPTIONS, columns=3), config("one+two", 3))


def test_a_network_without_columns_takes_one_checkpoint(runs: Path) -> None:
    for name in ("one", "two"):
        network = build("gimefive", 6, depth=2, width=4)
        (runs / name).mkdir()
        save_weights(network.state_dict(), runs / name / "weights.safetensors")
        options = {"depth": 2, "width": 4}
        Card("gimefive", RunConfig().labels, model_options=options).save(runs / name / "card.json")
    run = RunConfig(model="gimefive", model_options=options, initial="one+two")

    with pytest.raises(TrainingError, match="gimefive has no columns"):
        start_from(build("gimefive", 6, **options), run)


def test_another_network_is_refused(runs: Path) -> None:
    stored("one", runs)

    with pytest.raises(TrainingError, match="same network, options and classes"):
        start_from(build("resnet14", 6, width=16), RunConfig("resnet14", {"width": 16}, "one"))
