"""What quantisation.json must hold to be believed."""

import json
from pathlib import Path

import pytest

from core.errors import CheckpointError
from core.inference import Quantisation

FOUND = Quantisation([(0.0, 1.0), (-2.0, 2.0)], 100, 0.8, 0.79, 0.98)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The file, in a folder whose weights it is about."""
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    FOUND.save(tmp_path)
    return tmp_path / "quantisation.json"


def test_what_was_written_is_read(written: Path) -> None:
    found = Quantisation.load(written.parent)

    assert found is not None
    assert found.ranges == FOUND.ranges
    assert (found.faces, found.accuracy_exact, found.accuracy_int8) == (100, 0.8, 0.79)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ranges": "many"},
        {"ranges": [[1.0, 0.0]]},
        {"ranges": [[0.0, float("nan")]]},
        {"ranges": [[0.0]]},
        {"accuracy_int8": "0.5"},
        {"accuracy_exact": None},
        {"faces": -1},
    ],
)
def test_damaged_figures_are_told(written: Path, wrong: dict[str, object]) -> None:
    written.write_text(json.dumps(json.loads(written.read_text()) | wrong))

    with pytest.raises(CheckpointError, match=r"cannot be read .* Delete it to use float32"):
        Quantisation.load(written.parent)


def test_what_another_version_adds_is_no_damage(written: Path) -> None:
    written.write_text(json.dumps(json.loads(written.read_text()) | {"later": 1}))

    assert Quantisation.load(written.parent) is not None
