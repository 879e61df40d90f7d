"""Raters' votes belong to the pictures they were given for, or are refused."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_pictures import blobs, fer2013, pixels_cell, write_folder, write_zip

from core.data import Dataset, contradicted, prepare, rater_votes, vote_shares
from core.data.votes import CHOICES, KEYED, PUBLISHED
from core.errors import DataError


def votes(*numbers: int) -> dict[str, int]:
    return dict(zip(CHOICES, numbers, strict=True))


FEAR = votes(0, 0, 3, 0, 0, 0, 7, 0, 0, 0)
SURPRISE = votes(0, 0, 8, 0, 0, 0, 2, 0, 0, 0)
SPLIT = votes(2, 0, 3, 0, 3, 0, 2, 0, 0, 0)
NONE = votes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def folders(tmp_path: Path) -> Dataset:
    """FER2013 in class folders: ids 0 and 1 fear of train, id 2 fear of test."""
    pictures = fer2013({("train", "fear"): [1, 2], ("test", "fear"): [1001]})
    (tmp_path / "sources").mkdir()
    source = write_zip(tmp_path / "sources" / "fer.zip", pictures)
    return prepare([f"fer2013={source}"], tmp_path / "data" / "out", workers=1)


def write_keyed(path: Path, rows: dict[str, dict[str, int]], usage: str = "Training") -> None:
    table = pd.DataFrame(
        {"folder": name.rpartition("/")[0], "name": name.rpartition("/")[2], "usage": usage, **row}
        for name, row in rows.items()
    )
    table.to_csv(path, index=False)


def ids(dataset: Dataset) -> dict[str, int]:
    return {path.partition("!")[2]: number for number, path in enumerate(dataset.manifest["path"])}


@pytest.mark.parametrize("place", ["data/out", "data", "sources"])
def test_votes_are_found_in_the_data_beside_them_and_beside_their_source(
    folders: Dataset, tmp_path: Path, place: str
) -> None:
    rows = {"train/fear/Training_1.jpg": FEAR, "train/fear/Training_2.jpg": SURPRISE,
            "train/angry/Training_1.jpg": SPLIT}  # fmt: skip
    write_keyed(tmp_path / place / KEYED, rows)

    found = rater_votes(folders)

    assert found is not None
    names = ids(folders)
    assert found.loc[names["train/fear/Training_1.jpg"]].to_dict() == FEAR
    assert found.loc[names["train/fear/Training_2.jpg"]].to_dict() == SURPRISE
    assert len(found) == 2


def test_without_a_file_there_are_no_votes(folders: Dataset) -> None:
    assert rater_votes(folders) is None


def test_the_published_form_follows_the_rows_of_the_table(tmp_path: Path) -> None:
    usages = ["Training", "PrivateTest", "Training"]
    pixels = [pixels_cell(blobs(seed, 48)) for seed in range(3)]
    table = pd.DataFrame({"emotion": [2, 2, 6], "pixels": pixels, "Usage": usages})
    source = write_folder(tmp_path / "fer", {"fer2013.csv": table.to_csv(index=False).encode()})
    dataset = prepare([f"fer2013={source}"], tmp_path / "out", workers=1)
    published = pd.DataFrame([SURPRISE, FEAR, NONE]).assign(Usage=usages)
    published.to_csv(tmp_path / PUBLISHED, index=False)

    found = rater_votes(dataset)

    assert found is not None
    by_path = {
        path.rpartition("#")[2]: number for number, path in enumerate(dataset.manifest["path"])
    }
    assert found.loc[by_path["0"]].to_dict() == SURPRISE
    assert found.loc[by_path["1"]].to_dict() == FEAR


def test_votes_for_other_pictures_are_refused(folders: Dataset, tmp_path: Path) -> None:
    write_keyed(tmp_path / "data" / KEYED, {"train/fear/Training_1.jpg": FEAR}, "PublicTest")

    with pytest.raises(DataError, match="1 of 1 FER2013 pictures into another part"):
        rater_votes(folders)


def test_a_file_without_the_votes_or_any_of_the_pictures_is_refused(
    folders: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "data" / KEYED
    path.write_text("folder,name,usage,fear\n")
    with pytest.raises(DataError, match="lacks the columns neutral"):
        rater_votes(folders)

    write_keyed(path, {"train/fear/Training_9.jpg": FEAR})
    with pytest.raises(DataError, match="names none of the 3 FER2013 pictures"):
        rater_votes(folders)


@pytest.mark.parametrize("cell", ["", "many", "2.5", "-1", "inf", "True", "1e30", "NaN"])
def test_a_cell_that_is_no_number_of_votes_is_refused_with_its_row(
    folders: Dataset, tmp_path: Path, cell: str
) -> None:
    path = tmp_path / "data" / KEYED
    first, second = "train/fear/Training_1.jpg", "train/fear/Training_2.jpg"
    write_keyed(path, {first: FEAR, second: votes(0, 0, 333, 0, 0, 0, 7, 0, 0, 0)})
    path.write_text(path.read_text().replace("333", cell))
    found = "nothing" if cell in ("", "NaN") else repr(cell)

    said = f"{KEYED} holds {found} under surprise in row 2 below the names of its columns"
    with pytest.raises(DataError, match=re.escape(said) + ".*expected a whole number of votes"):
        rater_votes(folders)


def test_whole_numbers_may_be_written_with_blanks_and_a_point(
    folders: Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "data" / KEYED
    write_keyed(path, {"train/fear/Training_1.jpg": votes(0, 0, 333, 0, 0, 0, 7, 0, 0, 0)})
    path.write_text(path.read_text().replace("333", " 3.0"))

    found = rater_votes(folders)

    assert found is not None
    assert found["surprise"].tolist() == [3]
    assert set(found.dtypes) == {np.dtype(np.int64)}


def test_a_label_is_contradicted_by_more_votes_and_by_a_majority() -> None:
    table = pd.DataFrame([FEAR, SURPRISE, SPLIT], index=[4, 5, 6])

    found = contradicted(table, pd.Series(["fear", "fear", "fear"], index=[4, 5, 6]))

    assert found["fewer"].tolist() == [False, True, True]
    assert found["majority"].tolist() == [False, True, False]


def test_shares_of_votes_are_of_training_pictures_and_known_classes_alone(
    folders: Dataset, tmp_path: Path
) -> None:
    rows = {"train/fear/Training_1.jpg": FEAR, "train/fear/Training_2.jpg": votes(*[0] * 8, 9, 1)}
    write_keyed(tmp_path / "data" / KEYED, rows)
    table = pd.read_csv(tmp_path / "data" / KEYED)
    tested = {"folder": "test/fear", "name": "Training_1001.jpg", "usage": "PrivateTest", **FEAR}
    pd.concat([table, pd.DataFrame([tested])]).to_csv(tmp_path / "data" / KEYED, index=False)
    named = ids(folders)
    rated = rater_votes(folders)
    assert rated is not None
    assert len(rated) == 3

    shares = vote_shares(folders, np.arange(3), ("surprise", "fear", "anger"))

    np.testing.assert_allclose(shares[named["train/fear/Training_1.jpg"]], [0.3, 0.7, 0])
    for number in set(range(3)) - {named["train/fear/Training_1.jpg"]}:  # no such votes; a test one
        assert np.isnan(shares[number]).all()


def test_shares_are_refused_where_there_are_no_votes(folders: Dataset) -> None:
    with pytest.raises(DataError, match=r"beside the prepared folder, or set rater_share=0"):
        vote_shares(folders, np.arange(3), ("fear",))
