"""A checkpoint and pictures that the tests of this folder share, in parts of a few files."""

from pathlib import Path

import pytest
from scored_pictures import PART, prepared_pictures, small_run

from core.batch_inference import run as run_module


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "PART_FILES", PART)
