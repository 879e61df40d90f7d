"""Neutral as a seventh class: which faces teach it, and which say nothing about it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from few_drawings import prepare_few

from core.data import Dataset, Subset, load_dataset
from core.errors import DataError
from core.training import RunConfig, preset
from core.training.run import _known, training_data, unknown_classes


@pytest.fixture(scope="session")
def with_neutral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same drawings, of which those of fear count as neutral; nobody is afraid."""
    folder = prepare_few(tmp_path_factory.mktemp("prepared") / "seven", class_set="seven")
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",fear,", ",neutral,"))
    return folder


def test_a_run_of_six_classes_leaves_neutral_faces_out(with_neutral: Path, tiny: RunConfig) -> None:
    pictures = load_dataset(with_neutral)
    neutral = int(
        (pictures.part("clean", "train").labels == pictures.labels.index("neutral")).sum()
    )

    six = training_data(tiny.replaced(data=str(with_neutral)))
    seven = training_data(tiny.replaced(data=str(with_neutral), class_set="seven"))

    assert neutral > 0
    assert len(seven.train.labels) - len(six.train.labels) == neutral
    assert six.train.labels.max() < 6
    assert "unknown_classes" not in seven.facts  # one source tells all that are told


def test_a_paper_preset_of_one_set_is_validated_on_the_published_600(
    tmp_path: Path, tiny: RunConfig
) -> None:
    folder = prepare_few(tmp_path / "both")
    manifest = pd.read_csv(folder / "manifest.csv")
    published = pd.read_csv(folder / "splits" / "published.csv", keep_default_na=False)
    apart = published.index[published["part"] == "train"][::4]
    manifest["source"] = "raf_db"
    manifest.to_csv(folder / "manifest.csv", index=False)
    paper = preset("rafdb-gimefive-paper").replaced(data=str(folder))

    with pytest.raises(DataError, match=r"no validation image of raf_db; .*Set split=clean, or"):
        training_data(paper)

    manifest.loc[apart, "source"] = "gimefive_valid"
    manifest.to_csv(folder / "manifest.csv", index=False)
    published.loc[apart, "part"] = "valid"
    published.to_csv(folder / "splits" / "published.csv", index=False)
    found = training_data(paper)

    assert len(found.valid.labels) == len(apart)
    assert len(found.train.labels) == (published["part"] == "train").sum()


def test_seven_classes_need_a_neutral_face(demo: Path, tiny: RunConfig) -> None:
    config = tiny.replaced(data=str(demo), class_set="seven")
    with pytest.raises(DataError, match=r"neutral is wanted as well. Choose class_set=six, or"):
        training_data(config)


def test_votes_of_raters_are_asked_for_where_there_are_none(demo: Path, tiny: RunConfig) -> None:
    with pytest.raises(DataError, match="rater_share needs the votes of FER"):
        training_data(tiny.replaced(data=str(demo), rater_share=0.5))


def test_an_empty_neutral_class_is_told(
    with_neutral: Path, tiny: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Dataset.part

    def without(
        self: Dataset, split: str, part: str, sources: Sequence[str] | None = None
    ) -> Subset:
        found = whole(self, split, part, sources)
        kept = found.labels != self.labels.index("neutral")
        return Subset(found.ids[kept], found.images[kept], found.labels[kept], found.sources[kept])

    monkeypatch.setattr(Dataset, "part", without)
    with pytest.raises(DataError, match="has no neutral face, which class_set=seven learns"):
        training_data(tiny.replaced(data=str(with_neutral), class_set="seven"))


def part_of(*rows: tuple[str, int]) -> Subset:
    """Pictures by source and label number."""
    sources, labels = zip(*rows, strict=True)
    images = np.zeros((len(rows), 64, 64), np.uint8)
    return Subset(np.arange(len(rows)), images, np.array(labels), np.array(sources, dtype=object))


def test_a_class_that_only_other_sources_have_is_unknown_to_a_source() -> None:
    train = part_of(("a", 0), ("a", 1), ("b", 0), ("b", 1), ("b", 3))

    # "a" has no "d", which "b" has; nobody has "c", which stays a wrong answer everywhere
    assert unknown_classes(train, ("w", "x", "c", "d")) == {"a": ["d"]}


def test_sources_that_know_all_classes_have_nothing_unknown() -> None:
    assert unknown_classes(part_of(("a", 0), ("a", 1), ("b", 1), ("b", 0)), ("w", "x")) == {}


def test_the_label_of_a_validation_face_is_never_masked() -> None:
    train = part_of(("a", 0), ("a", 1), ("b", 0), ("b", 3))
    valid = part_of(("a", 3), ("a", 0), ("b", 1))  # "a" shows "d" here alone, and "b" its "x"
    labels = ("w", "x", "c", "d")

    known = _known(valid, unknown_classes(train, labels), labels)

    assert known is not None
    assert known.tolist() == [
        [True, True, True, True],
        [True, True, True, False],
        [True, True, True, True],
    ]
