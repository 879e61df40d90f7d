"""What is known of networks without loading them: titles, warnings, sizes."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors import safe_open

from core.checkpoints import DEFAULT_CHECKPOINT
from core.evaluation.bootstrap import wilson
from core.files import write_json
from webapp.checkpoints import caution, parameters, titles


def test_no_two_networks_go_by_the_same_title(tmp_path: Path) -> None:
    for name, title in (("a", "Small"), ("b", "Twice"), ("c", "Twice"), ("d", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text(json.dumps({"title": title}))

    assert titles(sorted(tmp_path.iterdir())) == {
        "a": "Small", "b": "Twice (b)", "c": "Twice (c)", "d": "d",
    }  # fmt: skip


def cautioned(folder: Path, right: int, support: dict[str, int], *absent: str) -> str:
    number = sum(support.values())
    low, high = wilson(right, number)
    split = {
        "n": number,
        "accuracy": right / number,
        "intervals": {"accuracy": [low, high]},
        "per_class": {label: {"support": count} for label, count in support.items()},
    }
    write_json(folder / "report.json", {"splits": {"valid": split}, "absent": list(absent)})
    return caution(folder)


def test_a_network_that_may_know_nothing_says_so(made_checkpoint: Callable[..., Path]) -> None:
    folder = made_checkpoint("own")
    assert caution(folder) == ""  # not evaluated

    support = {"happiness": 4, "sadness": 2, "anger": 4, "fear": 0, "disgust": 0}
    poor = cautioned(folder, 4, support, "fear")

    assert "right for 40.0 % of 10 pictures (95 %: 17 to 69)" in poor
    assert "always saying “happiness” would be for 40.0 %" in poor
    # That of disgust, too, none is among the few judged says nothing of those learned from.
    assert "Its pictures show no fear: it hardly knows them." in poor
    assert cautioned(folder, 80, {"happiness": 50, "sadness": 50}) == ""


@pytest.mark.parametrize(
    ("data", "drawn"),
    [
        ({"name": "demo", "sources": ["demo"]}, True),
        ({"name": "demo", "sources": []}, True),
        ({"name": "demo", "sources": ["own"]}, False),
        ({"name": "own"}, False),
    ],
)
def test_a_network_of_drawings_says_so(
    made_checkpoint: Callable[..., Path], data: dict[str, object], drawn: bool
) -> None:
    folder = made_checkpoint("own")
    card = json.loads((folder / "card.json").read_text())
    write_json(folder / "card.json", card | {"data": data})

    assert ("learned from the demo's drawings" in caution(folder)) is drawn


def test_a_shipped_network_is_not_cautioned_against(
    made_checkpoint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_checkpoint(DEFAULT_CHECKPOINT)
    monkeypatch.setattr("core.checkpoints.SHIPPED", folder.parent)

    assert cautioned(folder, 4, {"happiness": 10}) == ""


def test_a_networks_parameters_are_those_of_its_weights_file(
    made_checkpoint: Callable[..., Path],
) -> None:
    folder = made_checkpoint("own")

    with safe_open(folder / "weights.safetensors", "np") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    learned = [shape for name, shape in shapes.items() if ".running_" not in name and shape]
    assert parameters(folder) == sum(map(math.prod, learned))
