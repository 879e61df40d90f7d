"""Weights to start from: one checkpoint's, a mean of several, or one of each for the columns."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from core.errors import ConfigError, TrainingError
from core.labels import CLASS_SETS
from core.models import MODELS, Card, build, load_model, save_weights
from core.preprocess import Preprocess
from core.training import RunConfig
from core.training.fine_tuning import Parent, origin, start_from

OPTIONS = {"width": 8}


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    return tmp_path


def stored(
    name: str,
    runs: Path,
    data_hash: str = "same",
    seed: int = 0,
    labels: tuple[str, ...] = CLASS_SETS["six"],
    model: str = "resnet14",
    width: int = OPTIONS["width"],
) -> nn.Module:
    torch.manual_seed(seed)
    network = build(model, len(labels), width=width).eval()
    data = {"name": "faces", "data_hash": data_hash, "split": "clean"}
    (runs / name).mkdir()
    save_weights(network.state_dict(), runs / name / "weights.safetensors")
    card = Card(model, labels, MODELS[model].preprocess, {"width": width}, data=data)
    card.save(runs / name / "card.json")
    return network


def no_inputs() -> torch.Tensor:
    raise AssertionError("a checkpoint's statistics need no faces")


def config(initial: str, columns: int, model: str = "resnet14") -> RunConfig:
    return RunConfig(model=model, model_options=OPTIONS | {"columns": columns}, initial=initial)


@pytest.mark.parametrize(
    "other",
    [Preprocess(size=96, crop=96), Preprocess(mean=(0.5,) * 3, std=(0.5,) * 3),
     Preprocess(size=72), Preprocess(colour=True)],
)  # fmt: skip
@pytest.mark.parametrize("initial", ["one", "two+one"])
def test_a_checkpoint_of_another_input_is_refused(
    runs: Path, other: Preprocess, initial: str
) -> None:
    for name in ("one", "two"):
        stored(name, runs)
    card = Card.load(runs / "one" / "card.json")
    replace(card, preprocess=other).save(runs / "one" / "card.json")

    asked = RunConfig(model="resnet14", model_options=OPTIONS, initial=initial)
    with pytest.raises(TrainingError, match=r"'one' has learned from (grey|coloured) pictures"):
        start_from(build("resnet14", 6, **OPTIONS), asked, no_inputs)


def test_two_checkpoints_fill_two_columns(runs: Path) -> None:
    members = [stored("one", runs, seed=1), stored("two", runs, seed=2)]
    pair = build("resnet14", 6, **OPTIONS, columns=2).eval()

    origin = start_from(pair, config("one+two", 2), no_inputs)["initial"]

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

    run = RunConfig("resnet14", OPTIONS, "default")

    facts = start_from(build("resnet14", 6, **OPTIONS), run, no_inputs)

    assert facts["initial"]["checkpoint"] == "one"


def test_origins_that_differ_are_not_told_as_one(runs: Path) -> None:
    stored("one", runs)
    stored("two", runs, data_hash="other")

    pair = build("resnet14", 6, **OPTIONS, columns=2)

    found = start_from(pair, config("one+two", 2), no_inputs)["initial"]

    assert (found["data_hash"], found["split"]) == (None, "clean")


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
        start_from(build("resnet14", 6, **OPTIONS, columns=3), config("one+two", 3), no_inputs)


def test_checkpoints_of_the_runs_own_network_give_the_mean_of_their_weights(runs: Path) -> None:
    one, two = (stored(name, runs, seed=seed) for seed, name in enumerate(("one", "two")))
    two.get_buffer("stem.bn.running_mean").fill_(0.5)  # the other's are 0
    save_weights(two.state_dict(), runs / "two" / "weights.safetensors")
    network = build("resnet14", 6, **OPTIONS)
    run = RunConfig("resnet14", OPTIONS, "one+two+two")  # twice, so with two of three shares

    facts = start_from(network, run, no_inputs)

    expected = (one.get_parameter("head.weight") + 2 * two.get_parameter("head.weight")) / 3
    torch.testing.assert_close(network.get_parameter("head.weight"), expected, rtol=0, atol=1e-4)
    means = network.get_buffer("stem.bn.running_mean")
    torch.testing.assert_close(means, torch.full_like(means, 1 / 3))
    assert network.get_buffer("stem.bn.num_batches_tracked").dtype == torch.int64
    assert facts["initial"]["averaged"] is True
    assert facts["initial"]["checkpoint"] == "one+two+two"


def test_the_mean_of_joined_networks_is_no_joining(runs: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        stored(name, runs, seed=seed, model="face_and_slim")
    both = build("face_and_slim", 6, **OPTIONS)

    facts = start_from(both, RunConfig("face_and_slim", OPTIONS, "one+two"), no_inputs)

    heads = [load_model(runs / name)[0].get_parameter("head.bias") for name in ("one", "two")]
    torch.testing.assert_close(both.get_parameter("head.bias"), sum(heads) / 2)
    assert facts["initial"]["averaged"] is True


@pytest.mark.parametrize("model", ["face_and_slim", "resnet14"])
def test_of_a_mean_each_checkpoint_has_the_runs_options(runs: Path, model: str) -> None:
    stored("one", runs, model=model)
    stored("two", runs, model=model, width=16)
    run = RunConfig(model, OPTIONS, "one+two")

    told = rf"'two' is {model} \(width=16\) .* same network, options and classes"
    with pytest.raises(TrainingError, match=told):
        start_from(build(model, 6, **OPTIONS), run, no_inputs)


def test_another_network_is_refused(runs: Path) -> None:
    stored("one", runs)

    with pytest.raises(TrainingError, match="same network, options and classes"):
        start_from(
            build("resnet14", 6, width=16), RunConfig("resnet14", {"width": 16}, "one"), no_inputs
        )


def test_a_six_class_checkpoint_starts_seven_answers(runs: Path) -> None:
    parent = stored("one", runs)
    network = build("resnet14", 7, **OPTIONS).eval()
    run = RunConfig("resnet14", OPTIONS, "one", class_set="seven")

    start_from(network, run, no_inputs)

    batch = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        before, after = parent(batch), network(batch)
    torch.testing.assert_close(after[:, :6], before, rtol=0, atol=2e-3)  # stored in halves
    torch.testing.assert_close(after[:, 6], after[:, :6].mean(dim=1), rtol=0, atol=1e-5)


def test_a_checkpoint_of_seven_classes_starts_no_six(runs: Path) -> None:
    stored("one", runs, labels=CLASS_SETS["seven"])

    with pytest.raises(TrainingError, match=r"with 6 classes, and its initial .* with 7 classes"):
        start_from(
            build("resnet14", 6, **OPTIONS), RunConfig("resnet14", OPTIONS, "one"), no_inputs
        )


def test_a_start_from_faces_is_told_by_the_card_and_by_what_it_starts(runs: Path) -> None:
    faces = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    run = RunConfig("face_resnet", {}, "dlib-face-recognition")

    facts = start_from(build("face_resnet", 6), run, lambda: faces)

    assert set(facts) == {"start"}
    assert facts["start"]["name"] == "dlib-face-recognition"
    assert "public domain" in facts["start"]["about"]
    assert len(facts["start"]["sha256"]) == 64
    (runs / "faces").mkdir()
    network = build("face_resnet", 6)
    save_weights(network.state_dict(), runs / "faces" / "weights.safetensors")
    given = MODELS["face_resnet"].preprocess
    Card("face_resnet", run.labels, given, data=facts).save(runs / "faces" / "card.json")
    later = start_from(network, RunConfig("face_resnet", {}, "faces"), no_inputs)
    assert later["start"] == facts["start"]
    assert later["initial"]["checkpoint"] == "faces"


def test_a_start_from_faces_fits_its_own_network_alone() -> None:
    run = RunConfig("resnet14", OPTIONS, "dlib-face-recognition")

    with pytest.raises(TrainingError, match="fits the network face_resnet alone"):
        start_from(build("resnet14", 6, **OPTIONS), run, no_inputs)


def test_a_face_network_and_a_slim_one_become_one(runs: Path) -> None:
    stored("slim", runs)
    seven = CLASS_SETS["seven"]
    torch.manual_seed(1)
    face = build("face_resnet", len(seven)).eval()
    (runs / "face").mkdir()
    save_weights(face.state_dict(), runs / "face" / "weights.safetensors")
    start = {"start": {"name": "known faces"}}
    Card("face_resnet", seven, data=start).save(runs / "face" / "card.json")
    options = OPTIONS | {"columns": 1}
    run = RunConfig("face_and_slim", options, "face+slim", class_set="seven")
    network = build("face_and_slim", 7, **options).eval()

    facts = start_from(network, run, no_inputs)

    assert facts["initial"]["checkpoint"] == "face+slim"
    assert facts["start"] == {"name": "known faces"}
    batch = torch.randn(2, 3, 96, 96)
    with torch.inference_mode():
        assert torch.allclose(network(batch)[:, 6], face(batch)[:, 6], atol=5e-3)  # in halves


@pytest.mark.parametrize(
    ("initial", "error", "told"),
    [
        ("slim+slim", TrainingError, "The first must tell all of them apart"),
        ("slim+slim+slim", ConfigError, "There are 3 checkpoints for a face_and_slim"),
    ],
)
def test_networks_that_cannot_stand_side_by_side_are_told(
    runs: Path, initial: str, error: type[Exception], told: str
) -> None:
    stored("slim", runs)
    run = RunConfig("face_and_slim", OPTIONS, initial, class_set="seven")

    with pytest.raises(error, match=told):
        start_from(build("face_and_slim", 7, **OPTIONS), run, no_inputs)
