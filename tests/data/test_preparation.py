import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_pictures import blobs, fer2013, jpeg, png, raf_db, video, write_folder, write_zip

from core.data import (
    cache,
    leak_pairs,
    load_dataset,
    prepare,
    read_exclude,
    write_exclude,
)
from core.data.cache import Chunk
from core.data.preparation import claimed
from core.errors import DataError
from core.preprocess import Preprocess

RAF = raf_db(
    {
        ("train", "4"): list(range(100, 160)),
        ("train", "5"): list(range(160, 190)),
        ("test", "4"): list(range(10)),
        ("test", "2"): list(range(10, 14)),
    }
)
FER = fer2013(
    {
        ("train", "angry"): list(range(300, 320)),
        # 0 is a RAF-DB test picture, 100 a RAF-DB train picture, 303 is labelled twice.
        ("train", "happy"): [0, 100, 303, *range(330, 340)],
        ("test", "happy"): [331, 400],
    }
)


@pytest.fixture
def zips(tmp_path: Path) -> list[Path]:
    near = {"test/angry/PublicTest_1.jpg": jpeg(blobs(305), 50)}
    return [
        write_zip(tmp_path / "raf.zip", RAF),
        write_zip(tmp_path / "fer.zip", {**FER, **near}),
    ]


def test_a_prepared_set_holds_every_picture_in_the_models_pixels(
    tmp_path: Path, zips: list[Path]
) -> None:
    dataset = prepare(zips, tmp_path / "out")

    manifest = dataset.manifest
    assert len(manifest) == len(RAF) + len(FER) + 1
    assert manifest["id"].tolist() == list(range(len(manifest)))
    assert dataset.images.shape == (len(manifest), 64, 64)
    row = manifest[manifest["path"] == "raf.zip!DATASET/train/5/train_00160_aligned.jpg"].iloc[0]
    assert row["label"] == "sadness"
    assert (row["width"], row["height"], row["mode"], row["split"]) == (64, 64, "RGB", "train")
    np.testing.assert_array_equal(dataset.images[row["id"]], Preprocess().pixels(blobs(160)))
    np.testing.assert_array_equal(dataset.original(int(row["id"])), blobs(160))
    assert not Path(str(row["path"])).is_absolute()


def test_planted_copies_are_found_and_do_not_leak_in_clean(
    tmp_path: Path, zips: list[Path]
) -> None:
    dataset = prepare(zips, tmp_path / "out")

    leaks = leak_pairs(dataset, "published")
    paths = dataset.manifest["path"]
    found = {
        (paths[b].split("/")[-1], bool(exact), bool(same))
        for b, exact, same in zip(leaks["id_b"], leaks["exact"], leaks["same_label"], strict=True)
    }
    assert found == {
        ("test_00000_aligned.jpg", True, True),
        ("Training_331.jpg", True, True),
        ("PublicTest_1.jpg", False, True),
    }
    assert len(leak_pairs(dataset, "clean")) == 0
    reasons = dataset.split("clean")["reason"].value_counts().to_dict()
    assert reasons["copy of a test picture"] == 3
    assert reasons["contradicting labels, no majority"] == 2
    assert reasons["surplus exact copy"] == 1


def test_a_source_has_the_same_clean_parts_alone_and_with_others(
    tmp_path: Path, zips: list[Path]
) -> None:
    alone = prepare(zips[:1], tmp_path / "alone")
    clean = fer2013({("train", "angry"): list(range(300, 320)), ("test", "sad"): [500]})
    other = write_zip(tmp_path / "other.zip", clean)

    both = prepare([other, zips[0]], tmp_path / "both")

    own = both.manifest["source"] == "raf_db"
    parts = both.split("clean")["part"][own]
    assert parts.tolist() == alone.split("clean")["part"].tolist()
    assert {"train", "valid", "test"} <= set(parts)


def test_a_second_run_does_nothing(
    tmp_path: Path, zips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    prepare(zips, out)
    before = {path.name: path.stat().st_mtime_ns for path in out.rglob("*")}

    def refuse(*_: object) -> None:
        raise AssertionError("a picture was read again")

    monkeypatch.setattr(cache, "work", refuse)
    prepare(list(reversed(zips)), out)

    assert {path.name: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_stopped_run_is_taken_up_where_it_was(
    tmp_path: Path, zips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CHUNK", 20)
    done: list[int] = []
    honest = cache.work

    def dies_in_the_third(chunk: Chunk, array: Path) -> Chunk:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(chunk.number)
        return honest(chunk, array)

    monkeypatch.setattr(cache, "work", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        prepare(zips, tmp_path / "out")
    with pytest.raises(DataError, match="no prepared data set"):
        load_dataset(tmp_path / "out")
    again: list[int] = []

    def counts(chunk: Chunk, array: Path) -> Chunk:
        again.append(chunk.number)
        return honest(chunk, array)

    monkeypatch.setattr(cache, "work", counts)

    dataset = prepare(zips, tmp_path / "out")

    assert done == [0, 1]
    assert again == list(range(2, 8))
    assert dataset.data_hash == prepare(zips, tmp_path / "other").data_hash
    np.testing.assert_array_equal(dataset.images, load_dataset(tmp_path / "other").images)
    assert not (tmp_path / "out" / ".partial").exists()


@pytest.mark.slow
def test_processes_give_what_one_process_gives(
    tmp_path: Path, zips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = prepare(zips, tmp_path / "one", workers=1)
    monkeypatch.setattr(cache, "INLINE", 0)

    two = prepare(zips, tmp_path / "two", workers=2)

    pd.testing.assert_frame_equal(one.manifest, two.manifest)
    np.testing.assert_array_equal(one.images, two.images)


def test_folder_and_zip_give_the_same_data(tmp_path: Path, zips: list[Path]) -> None:
    folder = write_folder(tmp_path / "unpacked", RAF)

    from_folder = prepare([folder], tmp_path / "a")
    from_zip = prepare(zips[:1], tmp_path / "b")

    assert from_folder.data_hash == from_zip.data_hash
    np.testing.assert_array_equal(from_folder.images, from_zip.images)


def test_the_data_hash_follows_the_labels(tmp_path: Path) -> None:
    first = write_folder(tmp_path / "a", {"happy/1.png": png(blobs(1))})
    second = write_folder(tmp_path / "b", {"sad/1.png": png(blobs(1))})

    hashes = {prepare([path], tmp_path / f"out-{path.name}").data_hash for path in (first, second)}

    assert len(hashes) == 2


def test_more_sources_replace_what_was_there(tmp_path: Path, zips: list[Path]) -> None:
    prepare(zips[:1], tmp_path / "out")

    dataset = prepare(zips, tmp_path / "out")

    assert len(dataset.manifest) == len(dataset.images) == len(RAF) + len(FER) + 1
    assert dataset.data_hash == prepare(zips, tmp_path / "anew").data_hash
    assert set(dataset.manifest["source"]) == {"raf_db", "fer2013"}


def test_what_cannot_be_read_is_listed_with_its_reason(tmp_path: Path) -> None:
    files = {
        "happy/1.png": png(blobs(1)),
        "happy/2.png": b"this is no picture",
        "happy/3.png": png(blobs(3)),
        "happy/cut.jpg": jpeg(blobs(4))[:200],
        "contempt/4.png": png(blobs(5)),
        "sad/inner.zip": b"PK",
    }

    dataset = prepare([write_zip(tmp_path / "faces.zip", files)], tmp_path / "out")

    assert dataset.manifest["path"].tolist() == ["faces.zip!happy/1.png", "faces.zip!happy/3.png"]
    np.testing.assert_array_equal(dataset.images[1], Preprocess().pixels(blobs(3)))
    skipped = pd.read_csv(tmp_path / "out" / "skipped.csv").set_index("path")["reason"]
    assert set(skipped.index) == {
        "faces.zip!happy/2.png",
        "faces.zip!happy/cut.jpg",
        "faces.zip!contempt/4.png",
        "faces.zip!sad/inner.zip",
    }
    assert "text that begins with" in skipped["faces.zip!happy/2.png"]
    assert "contempt" in skipped["faces.zip!contempt/4.png"]
    assert dataset.info["skipped"] == 4


def test_a_set_without_one_readable_picture_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "faces.zip", {"happy/1.png": b"nothing"})

    with pytest.raises(DataError, match="None of 1 pictures could be read"):
        prepare([path], tmp_path / "out")


def test_excluded_pictures_are_in_no_split_and_stay_excluded(
    tmp_path: Path, zips: list[Path]
) -> None:
    out = tmp_path / "out"
    dataset = prepare(zips, out)
    victim = dataset.manifest.iloc[[20]]
    write_exclude(out, victim.assign(reason="two faces"))

    renewed = prepare(zips, out)

    assert renewed.info["excluded"] == 1
    for name in ("clean", "published"):
        row = renewed.split(name).iloc[20]
        assert (row["part"], row["reason"]) == ("drop", "excluded")
    elsewhere = prepare(zips, tmp_path / "new", exclude_file=out / "splits" / "exclude.csv")
    assert elsewhere.split("clean").iloc[20]["reason"] == "excluded"
    assert read_exclude(tmp_path / "new" / "splits" / "exclude.csv")["reason"][0] == "two faces"


@pytest.mark.parametrize(
    ("content", "text"), [("a,b\n1,2\n", "at least pixel_hash"), (None, "exist")]
)
def test_an_unusable_exclude_list_is_refused(
    tmp_path: Path, zips: list[Path], content: str | None, text: str
) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_text(content)

    with pytest.raises(DataError, match=text):
        prepare(zips, tmp_path / "out", exclude_file=path)


def test_progress_ends_at_the_number_of_pictures(tmp_path: Path, zips: list[Path]) -> None:
    seen: list[tuple[int, int, str]] = []

    prepare(zips, tmp_path / "out", progress=lambda *values: seen.append(values))

    total = len(RAF) + len(FER) + 1
    assert (0, total, "reading pictures") in seen
    assert (total, total, "reading pictures") in seen


def test_a_folder_in_use_is_left_alone(tmp_path: Path, zips: list[Path]) -> None:
    out = tmp_path / "out"
    out.mkdir()

    with claimed(out), pytest.raises(DataError, match="being prepared by process"):
        prepare(zips, out)

    assert not (out / "dataset.json").exists()
    assert not list(out.iterdir())


def test_the_claim_of_a_dead_process_does_not_count(tmp_path: Path, zips: list[Path]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".claim").write_text("1 12345.0")

    assert len(prepare(zips, out).manifest) == len(RAF) + len(FER) + 1


def test_frames_and_table_rows_find_back_to_their_originals(tmp_path: Path) -> None:
    from made_pictures import pixels_cell

    rows = [f"{number},{pixels_cell(blobs(number, 48))},Training" for number in range(6)]
    table = "\n".join(["emotion,pixels,Usage", *rows]).encode()
    path = write_folder(tmp_path / "fer", {"fer2013.csv": table}) / "fer2013.csv"

    dataset = prepare([path], tmp_path / "out")

    assert dataset.manifest["path"].iloc[4] == "fer2013.csv!fer2013.csv#4"
    np.testing.assert_array_equal(dataset.original(4)[:, :, 2], blobs(4, 48)[:, :, 0])
    assert (
        json.loads((tmp_path / "out" / "dataset.json").read_text())["sources"][0]["kind"] == "file"
    )


def test_another_step_from_frame_to_frame_is_another_data_set(tmp_path: Path) -> None:
    film = video([blobs(number, 64) for number in range(20)])
    path = write_folder(tmp_path / "disfa", {"left.avi": film})
    prepare([path], tmp_path / "out", frame_step=8)

    dataset = prepare([path], tmp_path / "out", frame_step=9)  # three frames, as before

    frames = [f"disfa!left.avi#{number}" for number in (0, 9, 18)]
    assert dataset.manifest["path"].tolist() == frames
