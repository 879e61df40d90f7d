"""The shipped audit of the real data says what was measured on it, and shows no person."""

import json

from core.data import FIVE, shipped_audit, shipped_means
from core.data.auditing import FEWEST
from core.labels import EMOTIONS
from core.paths import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "core" / "data" / "shipped"


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
    assert set(FIVE) <= set(shipped_audit()["counts"])
