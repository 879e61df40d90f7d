"""The plain way beside `classify` sees what the network takes; what fails ends no other bench."""

import json
import sys
from pathlib import Path

import PIL.Image
import pytest
import torch
from command_line import exit_code
from torch import Tensor, nn

from core.bench import Comparison
from core.bench.classify import _one_at_a_time, _peak, _pictures, _run
from core.errors import CoreError
from core.images import read_image
from core.preprocess import Preprocess


class Listening(nn.Module):
    """Keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def forward(self, batch: Tensor) -> Tensor:
        self.given.append(batch)
        return torch.eye(7)[:1]


@pytest.mark.parametrize(
    "preprocess",
    [
        Preprocess(96, 96, (0.5, 0.4, 0.3), (1.0, 0.5, 0.2)),
        Preprocess(48, 44, (0.5,), (0.5,)),
        Preprocess(64, 64, colour=True),
    ],
)
def test_the_plain_way_takes_the_networks_own_pictures(
    tmp_path: Path, preprocess: Preprocess
) -> None:
    files = _pictures(tmp_path, 2)
    network = Listening()

    assert _one_at_a_time(files, network, preprocess) == [0, 0]

    for path, given in zip(files, network.given, strict=True):
        expected = torch.from_numpy(preprocess(read_image(path)))
        assert given.shape == expected.shape
        with PIL.Image.open(path) as picture:
            assert picture.size == (64, 64)
        # Both enlarge and shrink by their own rules: alike but for a few steps of grey.
        assert float((given - expected).abs().mean()) * min(preprocess.std) < 0.02


def test_a_command_that_fails_says_its_last_line() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('Error: no cluster answers')"]

    for measured in (_run, _peak):
        with pytest.raises(CoreError, match=r"^no cluster answers$"):
            measured(command)


def test_memory_of_a_command_is_seen() -> None:
    assert _peak([sys.executable, "-c", "import time; time.sleep(.5)"]) > 1


def test_one_bench_that_fails_keeps_the_figures_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: Path) -> Comparison:
        raise CoreError("Ray is not installed.")

    benches = {
        "first": lambda folder: Comparison(2.0, 1.0, 2.0, "ms", "a"),
        "second": broken,
        "third": lambda folder: Comparison(3.0, None, None, "ms", "b"),
    }
    monkeypatch.setattr("core.bench.BENCHES", benches)

    words = ("bench", "--json", tmp_path / "found.json")
    assert exit_code(*words, monkeypatch=monkeypatch) == 1

    said = capsys.readouterr()
    assert "second     not measured: Ray is not installed." in said.err
    found = json.loads((tmp_path / "found.json").read_text())
    assert list(found) == ["first", "third"]
    assert found["third"]["ratio"] is None
    assert "ratio      -" in said.out
