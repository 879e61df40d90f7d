import shutil
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, fer2013, png, raf_db, write_folder, write_zip

from core.data import WITHOUT_TWINS, Dataset, load_dataset, prepare
from core.data.cache import pixel_hash
from core.errors import DataError
from core.labels import EMOTIONS
from core.preprocess import Preprocess


@pytest.fixture
def prepared(tmp_path: Path) -> Dataset:
    raf = raf_db({("train", "4"): list(range(40)), ("test", "2"): [50, 51]})
    fer = fer2013({("train", "sad"): list(range(60, 90)), ("test", "sad"): [60, 91]})
    zips = [write_zip(tmp_path / "raf.zip", raf), write_zip(tmp_path / "fer.zip", fer)]
    return prepare(zips, tmp_path / "out")


def test_a_part_has_the_pictures_and_labels_of_its_ids(prepared: Dataset) -> None:
    subset = prepared.part("published", "test")

    assert subset.ids.dtype == subset.labels.dtype == np.int64
    assert subset.images.dtype == np.uint8
    assert len(subset) == 4
    labels = prepared.manifest["label"][subset.ids]
    assert [EMOTIONS[number] for number in subset.labels] == labels.tolist()
    np.testing.assert_array_equal(subset.images, np.asarray(prepared.images)[subset.ids])
    assert subset.sources.tolist() == ["raf_db", "raf_db", "fer2013", "fer2013"]


def test_sources_can_be_chosen(prepared: Dataset) -> None:
    assert set(prepared.part("published", "train", ["fer2013"]).sources) == {"fer2013"}
    assert len(prepared.part("published", "train", ["fer2013"])) == 30


@pytest.mark.parametrize("split", ["clean", "published"])
def test_the_test_without_twins_lacks_copies_of_published_train(
    prepared: Dataset, split: str
) -> None:
    every, without = prepared.part(split, "test"), prepared.part(split, WITHOUT_TWINS)

    (twin,) = set(every.ids.tolist()) - set(without.ids.tolist())
    assert prepared.manifest["path"][twin].endswith("test/sad/Training_60.jpg")


def test_clean_train_and_valid_share_nothing(prepared: Dataset) -> None:
    train, valid = prepared.ids("clean", "train"), prepared.ids("clean", "valid")

    assert not set(train) & set(valid)
    assert len(train) + len(valid) == 69


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("tidy", "train"), "no split 'tidy'"),
        (("clean", "holdout"), "no part 'holdout'"),
        (("clean", "train", ["tfeid"]), "no source tfeid"),
        (("published", "valid"), "is empty"),
        (("../clean", "train"), "no split"),
    ],
)
def test_what_is_not_there_is_named(
    prepared: Dataset, arguments: tuple[str, ...], text: str
) -> None:
    with pytest.raises(DataError, match=text):
        prepared.part(*arguments)


def test_the_original_is_the_picture_in_the_source(prepared: Dataset) -> None:
    np.testing.assert_array_equal(prepared.original(3), blobs(1))


@pytest.mark.parametrize(
    "names",
    [
        ("x/a", "y/a", "z/a-2"),
        ("z/a-2", "x/a", "y/a"),
        ("x/a", "y/a-2", "z/a", "w/a-2", "v/a-3"),
        ("my!faces", "!", "my_faces", "a!b!c"),
        ("@faces", "=faces", "+faces", "-faces", "_faces", "--", "@"),
        ("\tfaces", "\rfaces", "line\nbreak", "two\r\nbreaks", '"quoted", so', " ", "1", "nan"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_row_leads_to_its_own_picture_whatever_sources_are_called(
    tmp_path: Path, names: tuple[str, ...], packed: bool
) -> None:
    sources = []
    for number, name in enumerate(names):
        files = {f"happy/{seed}.png": png(blobs(10 * number + seed)) for seed in range(2)}
        place = tmp_path / "sources" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        sources.append(write_zip(place, files) if packed else write_folder(place, files))

    dataset = prepare(sources, tmp_path / "out")

    keys = [one["key"] for one in dataset.info["sources"]]
    assert len(set(keys)) == len(names)
    assert len(dataset.manifest) == 2 * len(names)
    shown = set()
    for row in range(len(dataset.manifest)):
        original = dataset.original(row)
        np.testing.assert_array_equal(dataset.images[row], Preprocess().pixels(original))
        shown.add(pixel_hash(original))
    assert shown == {
        pixel_hash(blobs(10 * number + seed)) for number in range(len(names)) for seed in range(2)
    }


@pytest.mark.parametrize("row", [-1, 74])
def test_a_picture_that_does_not_exist_is_refused(prepared: Dataset, row: int) -> None:
    with pytest.raises(DataError, match="ids go from 0 to 73"):
        prepared.original(row)


def test_a_source_that_moved_is_missed_in_words(prepared: Dataset, tmp_path: Path) -> None:
    (tmp_path / "raf.zip").unlink()

    with pytest.raises(DataError, match=r"raf\.zip is no longer where it was"):
        prepared.original(3)


def test_a_source_that_moved_is_read_from_there_once_prepared_again(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "own", {"train/fear/1.png": png(blobs(1))})
    before = prepare([path], tmp_path / "out")
    expected = before.original(0)
    (tmp_path / "new").mkdir()
    path = path.rename(tmp_path / "new" / "own")
    images = (tmp_path / "out" / "images.npy").stat()

    after = prepare([path], tmp_path / "out")

    np.testing.assert_array_equal(after.original(0), expected)
    assert (tmp_path / "out" / "images.npy").stat().st_mtime_ns == images.st_mtime_ns
    assert {**after.info, "sources": before.info["sources"]} == before.info


def test_a_moved_data_set_still_reads(prepared: Dataset, tmp_path: Path) -> None:
    expected = prepared.data_hash
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")

    dataset = load_dataset(tmp_path / "elsewhere")

    assert dataset.data_hash == expected
    assert len(dataset.part("published", "train")) == 70
    np.testing.assert_array_equal(dataset.original(3), blobs(1))


@pytest.mark.parametrize("name", ["manifest.csv", "images.npy", "pairs.csv"])
def test_a_folder_that_lacks_a_file_is_refused(
    prepared: Dataset, tmp_path: Path, name: str
) -> None:
    (tmp_path / "out" / name).unlink()

    with pytest.raises(DataError, match=f"lacks {name}"):
        load_dataset(tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read .expected object, got array"),
        ('{"format": 99}', "has format 99"),
        ('{"format": 1}', "missing required field labels"),
        ('{"format": 1, "labels": ["a", "b"], "counts": {"x": 5}, "data_hash": ""}', "counts"),
    ],
)
def test_a_damaged_or_foreign_dataset_json_is_refused(
    prepared: Dataset, tmp_path: Path, text: str, complaint: str
) -> None:
    (tmp_path / "out" / "dataset.json").write_text(text)

    with pytest.raises(DataError, match=complaint):
        load_dataset(tmp_path / "out")
