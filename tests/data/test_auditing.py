"""The shipped audit of the real data says what was measured on it, and shows no person."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_pictures import blobs, fer2013, jpeg, png, raf_db, write_zip

from core.data import (
    PAPER_SOURCES,
    Dataset,
    audit,
    load_dataset,
    mirrored_pairs,
    prepare,
    report_text,
    shipped_audit,
    shipped_means,
    write_exclude,
)
from core.data.auditing import FEWEST
from core.labels import EMOTIONS
from core.paths import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "core" / "data" / "shipped"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """RAF-DB 12 train, 4 test; FER2013 9 train, 4 test; 3 of the published valid."""
    folder = tmp_path_factory.mktemp("sources")
    raf = raf_db({("train", "4"): list(range(12)), ("test", "2"): [20, 21, 22, 23]})
    fer = fer2013(
        {
            ("train", "sad"): [30, 31, 32, 33, 34],
            ("train", "fear"): [30, 36, 37],  # 30 contradicts
            ("test", "sad"): [31, 41],  # and 33 of train mirrored
            ("test", "angry"): [32],
        }
    )
    fer["test/sad/Training_42.jpg"] = png(np.ascontiguousarray(blobs(33)[:, ::-1]))
    fer["train/sad/Training_43.jpg"] = png((blobs(34) * 0.5 + 20).astype(np.uint8))
    valid = {
        "valid/img001_fear.jpg": png(blobs(20)),
        "valid/img002_fear.jpg": jpeg(blobs(21), 60),
        "valid/img003_happiness.jpg": jpeg(blobs(5), 60),
        "valid_labels.csv": b"img001_fear.jpg,5\n",
    }
    zips = [
        write_zip(folder / "raf.zip", raf),
        write_zip(folder / "fer.zip", fer),
        write_zip(folder / "valid.zip", valid),
    ]
    return prepare(zips, folder / "out")


def test_counts_are_by_source_split_and_emotion(prepared: Dataset) -> None:
    assert audit(prepared)["counts"] == {
        "raf_db": {"test": {"fear": 4}, "train": {"happiness": 12}},
        "fer2013": {"test": {"anger": 1, "sadness": 3}, "train": {"fear": 3, "sadness": 6}},
        "gimefive_valid": {"valid": {"fear": 2, "happiness": 1}},
    }


def test_leaks_count_pictures_by_where_they_come_from(prepared: Dataset) -> None:
    leaks: dict[tuple[str, ...], list[tuple[bool, bool, int]]] = {}
    for one in audit(prepared)["leaks"]:
        key = (one["source_a"], one["split_a"], one["source_b"], one["split_b"])
        leaks.setdefault(key, []).append((one["exact"], one["same_label"], one["n"]))

    assert {key: sorted(found) for key, found in leaks.items()} == {
        ("fer2013", "train", "fer2013", "test"): [(True, False, 1), (True, True, 1)],
        ("raf_db", "test", "gimefive_valid", "valid"): [(False, True, 1), (True, True, 1)],
        ("raf_db", "train", "gimefive_valid", "valid"): [(False, True, 1)],
    }


def test_the_published_valid_is_traced_to_its_origin(prepared: Dataset) -> None:
    assert audit(prepared)["published_valid"] == {"n": 3, "raf_db/test": 2, "raf_db/train": 1}


def test_twins_are_counted_a_source(prepared: Dataset) -> None:
    assert audit(prepared)["twins"] == {
        "raf_db": {"test": 4, "exact": 0, "exact_same_label": 0, "exact_or_near": 0},
        "fer2013": {"test": 4, "exact": 2, "exact_same_label": 1, "exact_or_near": 2},
    }


def test_kinds_of_copies_are_counted_apart(prepared: Dataset) -> None:
    kinds = {one["kind"]: (one["pairs"], one["pictures"]) for one in audit(prepared)["copies"]}

    assert kinds == {"exact": (4, 8), "near": (2, 4), "toned": (1, 2), "mirrored": (1, 2)}


def test_mirrored_copies_are_counted_and_kept_on_one_side_of_clean(prepared: Dataset) -> None:
    found = audit(prepared)["mirrored"]

    assert found["pictures"] == {"fer2013": 2}
    assert found["twins"] == {"fer2013": {"test": 1, "same_label": 1, "only": 1}}
    assert [(one["split_a"], one["split_b"], one["n"]) for one in found["leaks"]] == [
        ("train", "test", 1)
    ]
    assert found["clean_leaks"] == []
    assert prepared.info["clean_rules"] == 2


def test_data_prepared_before_mirrored_copies_were_looked_for_stay_as_they_are(
    prepared: Dataset, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(prepared.folder, tmp_path / "older"))
    (folder / "mirrored.csv").unlink()
    older = load_dataset(folder)

    silent, looked = audit(older), audit(older, mirrored_pairs(older))

    assert silent["mirrored"] is None
    assert "not looked for when these data were prepared" in report_text(silent)
    assert looked["mirrored"]["twins"] == audit(prepared)["mirrored"]["twins"]
    assert not (folder / "mirrored.csv").exists()
    # Its splits are made anew for another exclude list, by the rules it was prepared by.
    write_exclude(folder, older.manifest.tail(1))
    again = prepare([one["root"] for one in older.info["sources"]], folder)
    assert again.info["clean_rules"] == 1
    assert "mirrored copy of a test picture" not in set(again.split("clean")["reason"])


def test_groups_and_conflicts_are_counted(prepared: Dataset) -> None:
    found = audit(prepared)

    assert found["exact_groups"] == 4  # 30, 31, 32 and 20
    assert found["near_groups"] == 3  # 21 and 5, saved again, and 34, paler
    assert found["conflicts"] == 1
    assert found["label_clashes"] == [{"labels": ["fear", "sadness"], "n": 1}]
    assert found["duplicates"]["train"] == {
        "exact_groups": 1,
        "exact_surplus": 1,
        "near_groups": 1,
        "near_pictures": 2,
        "largest_group": 2,
        "exact_contradicting": 1,
        "contradicting": 1,
    }


def test_clean_has_no_leak_and_says_why_it_dropped(prepared: Dataset) -> None:
    found = audit(prepared)

    assert found["clean_leaks"] == []
    assert found["splits"]["clean"]["dropped"] == {
        "published valid: copies of RAF-DB test pictures": 3,
        "copy of a test picture": 2,
        "contradicting labels, no majority": 2,
        "mirrored copy of a test picture": 1,
    }
    assert found["splits"]["published"]["parts"]["test_without_twins"] == 6


def test_the_written_audit_is_the_audit(prepared: Dataset) -> None:
    values = audit(prepared)

    assert json.loads((prepared.folder / "audit.json").read_text()) == values
    assert (prepared.folder / "audit.md").read_text() == report_text(values)


def test_the_report_says_what_was_found(prepared: Dataset) -> None:
    text = report_text(audit(prepared))

    assert "| RAF-DB | train | happiness | 4,772 | 12 | -4,760 |" in text
    assert "FER2013: 2 of 4 test pictures have a copy in train, 2 of them pixel for pixel" in text
    assert "Published valid: 2 of 3 are RAF-DB test pictures." in text
    assert "| FER2013 test | FER2013 train | exact | other | 1 |" in text
    assert "1 groups in train carry contradicting labels" in text
    assert "Leaks left in `clean`: 0." in text
    assert "FER2013: 1 test pictures have a mirrored copy in train (1 with the same label)" in text
    assert "- Brightness or contrast changed: 1 pairs, 2 pictures." in text
    assert "Mirrored copies over two parts of `clean`: 0." in text


def test_no_path_of_this_machine_is_in_the_audit(prepared: Dataset, tmp_path: Path) -> None:
    assert str(prepared.folder.parent) not in json.dumps(audit(prepared))


def test_the_shipped_files_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}

    assert set(sizes) == {"audit.json", "class_means.npz"}
    assert sum(sizes.values()) < 300_000


def test_counts_are_those_of_the_published_files() -> None:
    counts = shipped_audit()["counts"]

    totals = {
        (source, split): sum(row.values())
        for source, splits in counts.items()
        for split, row in splits.items()
    }
    assert totals == {
        ("raf_db", "train"): 9747,
        ("raf_db", "test"): 2388,
        ("fer2013", "train"): 23742,
        ("fer2013", "test"): 5945,
        ("affectnet", "train"): 21045,
        ("ck_plus", "train"): 309,
        ("tfeid", "train"): 229,
        ("gimefive_valid", "valid"): 600,
    }


def test_the_differences_from_the_paper_are_named() -> None:
    notes = {(one["source"], one["emotion"]): one["note"] for one in shipped_audit()["differences"]}

    assert notes["affectnet", "happiness"] == "the paper has happiness and sadness swapped"
    assert notes["fer2013", "happiness"] == "1 picture fewer than published"


def test_the_known_leaks_are_found() -> None:
    found = shipped_audit()

    assert found["twins"]["fer2013"]["exact_same_label"] >= 508
    assert 569 <= found["published_valid"]["raf_db/test"] <= 579
    assert found["twins"]["raf_db"]["exact"] == 0
    assert found["clean_leaks"] == []
    assert found["duplicates"]["train"]["exact_contradicting"] == 73


def test_the_portraits_of_affectnet_are_named() -> None:
    found = shipped_audit()["shortcut"]

    assert round(found["by_origin"]["p_class"]["affectnet/ffhq"]["happiness"], 2) == 0.89
    assert "affectnet/ffhq" in found["sentences"][0]


def test_mean_faces_are_over_hundreds_of_pictures() -> None:
    sizes, means = shipped_audit()["class_sizes"], shipped_means()

    assert min(sizes[name] for name in means) >= FEWEST
    assert not any(name.startswith(("ck_plus/", "tfeid/")) for name in means)
    assert {f"all/{emotion}" for emotion in EMOTIONS} <= set(means)
    assert all(mean.shape == (64, 64) for mean in means.values())
    # A mean over many faces is far smoother than a face: its grey values spread little.
    assert max(float(mean.std()) for mean in means.values()) < 50


def test_no_file_name_or_path_of_a_machine_is_shipped() -> None:
    text = json.dumps(shipped_audit())

    assert ".jpg" not in text
    assert "/home" not in text
    assert set(PAPER_SOURCES) <= set(shipped_audit()["counts"])
