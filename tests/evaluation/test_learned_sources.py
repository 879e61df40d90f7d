"""Which image sets a run learned from, as far as its files and its data set say."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from core.data import PAPER_SOURCES
from core.evaluation import learned_from
from core.files import write_json

LABELS = ["fear", "anger"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data root."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def dataset(folder: Path, digest: str, *sources: str) -> None:
    counts = {source: {"train": {"fear": 1}} for source in sources}
    facts = {"format": 1, "labels": LABELS, "counts": counts, "data_hash": digest}
    folder.mkdir(parents=True)
    write_json(folder / "dataset.json", facts)


def run(folder: Path, card: Mapping[str, object], *reported: str) -> Path:
    folder.mkdir()
    write_json(folder / "card.json", {"model": "gimefive", "labels": LABELS, "data": card})
    if reported:
        report = {"sources": list(reported), "splits": {}, "labels": LABELS, "format": 1}
        write_json(folder / "report.json", report)
    return folder


def test_named_sources_are_believed(root: Path, tmp_path: Path) -> None:
    dataset(root / "five", "abc", "raf_db", "fer2013")
    card = {"name": "five", "data_hash": "abc", "sources": ["raf_db"]}

    assert learned_from(run(tmp_path / "run", card)) == {"raf_db"}


def test_none_named_are_all_of_that_very_data_set(root: Path, tmp_path: Path) -> None:
    dataset(root / "five", "abc", "raf_db", "fer2013", "gimefive_valid")
    card = {"name": "five", "data_hash": "abc", "sources": []}

    folder = run(tmp_path / "run", card, "raf_db", "ck_plus")

    assert learned_from(folder) == {"raf_db", "fer2013"}


def test_another_data_set_of_that_name_says_less_than_the_report(
    root: Path, tmp_path: Path
) -> None:
    dataset(root / "five", "abc", "raf_db", "fer2013")
    card = {"name": "five", "data_hash": "other", "sources": []}

    assert learned_from(run(tmp_path / "told", card, "raf_db", "tfeid")) == {"raf_db", "tfeid"}
    assert learned_from(run(tmp_path / "untold", card)) == {"raf_db", "fer2013"}


@pytest.mark.parametrize(("name", "sources"), [("gone", {*PAPER_SOURCES}), ("demo", {"demo"})])
def test_of_a_data_set_that_is_gone_the_usual_is_assumed_whatever_the_settings_say(
    root: Path, tmp_path: Path, name: str, sources: set[str]
) -> None:
    folder = run(tmp_path / "run", {"name": name, "sources": []})
    write_json(folder / "config.json", {"data": name, "sources": ["raf_db"]})

    assert json.loads((folder / "config.json").read_text())["sources"] == ["raf_db"]
    assert learned_from(folder) == sources


def test_of_an_imported_network_nothing_is_known(root: Path, tmp_path: Path) -> None:
    assert learned_from(run(tmp_path / "run", {"imported": "x.pth"}, "raf_db")) == frozenset()
