from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.data.splits import VALID_SHARE, clean_split, published_split
from core.labels import EMOTIONS

Row = tuple[str, str, str, str, int]  # source, split, label, pixel hash, group


def manifest(rows: Sequence[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["source", "split", "label", "pixel_hash", "group"])
    table.insert(0, "id", np.arange(len(table)))
    return table


def reasons(table: pd.DataFrame) -> list[str]:
    return [
        f"{part} {reason}".strip()
        for part, reason in zip(table["part"], table["reason"], strict=True)
    ]


def random_manifest(count: int = 3000, seed: int = 0) -> pd.DataFrame:
    """Three sources with planted groups, exact and near, across splits, labels and sources."""
    rng = np.random.default_rng(seed)
    sources = np.sort(rng.choice(3, count))
    rows: list[Row] = []
    for row in range(count):
        source = ("raf_db", "fer2013", "affectnet")[sources[row]]
        split = "train" if source == "affectnet" or rng.random() < 0.8 else "test"
        rows.append((source, split, EMOTIONS[rng.integers(6)], f"{rng.integers(2**62):032x}", -1))
    table = manifest(rows)
    for _ in range(250):
        members = rng.choice(count, rng.integers(2, 4), replace=False)
        members = members[table.loc[members, "group"].to_numpy() < 0]
        if len(members) < 2:
            continue
        table.loc[members, "group"] = int(members.min())
        if rng.random() < 0.5:
            table.loc[members, "pixel_hash"] = table.loc[members[0], "pixel_hash"]
        if rng.random() < 0.5:
            table.loc[members, "label"] = table.loc[members[0], "label"]
    return table


def test_published_marks_test_pictures_with_a_copy_in_train() -> None:
    table = manifest(
        [
            ("fer2013", "train", "fear", "a", 0),
            ("fer2013", "test", "fear", "a", 0),
            ("fer2013", "test", "fear", "b", 0),
            ("fer2013", "test", "fear", "c", 3),
            ("fer2013", "test", "fear", "d", 3),
            ("gimefive_valid", "valid", "fear", "e", -1),
            ("disfa", "unlabelled", "", "f", -1),
        ]
    )

    assert reasons(published_split(table)) == [
        "train",
        "test twin: exact",
        "test twin: near",
        "test",
        "test",
        "valid",
        "drop unlabelled",
    ]


def test_a_validation_part_of_ones_own_stays_one_in_clean() -> None:
    table = manifest(
        [
            ("folder", "test", "fear", "a", 0),
            ("folder", "valid", "fear", "b", 0),
            ("folder", "valid", "fear", "c", 2),
            ("folder", "train", "fear", "d", 2),
            ("folder", "train", "fear", "e", 4),
            ("raf_db", "train", "fear", "f", 2),
            *[("folder", "train", "anger", f"{number:032x}", -1) for number in range(60)],
        ]
    )

    parts = reasons(clean_split(table))

    assert parts[:6] == [
        "test",
        "drop copy of a test picture",
        "valid",
        "drop copy of a validation picture",
        "train",
        "drop copy of a validation picture",
    ]
    assert parts[6:] == ["train"] * 60


def test_clean_drops_copies_of_test_pictures_and_the_published_valid() -> None:
    table = manifest(
        [
            ("raf_db", "test", "fear", "a", 0),
            ("fer2013", "train", "fear", "b", 0),
            ("gimefive_valid", "valid", "fear", "c", 0),
            ("gimefive_valid", "valid", "fear", "d", -1),
            ("disfa", "unlabelled", "", "e", -1),
        ]
    )

    assert reasons(clean_split(table)) == [
        "test",
        "drop copy of a test picture",
        "drop published valid: copies of RAF-DB test pictures",
        "drop published valid: copies of RAF-DB test pictures",
        "drop unlabelled",
    ]


def test_clean_follows_a_group_through_dropped_pictures() -> None:
    table = manifest(
        [
            ("raf_db", "train", "fear", "a", 0),
            ("raf_db", "test", "fear", "b", 0),
        ]
    )

    assert reasons(clean_split(table, excluded=[1])) == [
        "drop copy of a test picture",
        "drop excluded",
    ]


def test_clean_keeps_the_majority_label_of_a_group() -> None:
    table = manifest(
        [
            ("fer2013", "train", "fear", "a", 0),
            ("fer2013", "train", "anger", "b", 0),
            ("fer2013", "train", "fear", "c", 0),
            ("fer2013", "train", "fear", "d", 3),
            ("fer2013", "train", "anger", "e", 3),
        ]
    )

    found = reasons(clean_split(table))

    assert found[1] == "drop contradicting labels, minority"
    assert found[0] == found[2]
    assert found[0] in {"train", "valid"}
    assert found[3:] == ["drop contradicting labels, no majority"] * 2


def test_clean_keeps_one_of_equal_training_pictures() -> None:
    table = manifest([("fer2013", "train", "fear", "a", 0)] * 3)

    found = reasons(clean_split(table))

    assert found[0] in {"train", "valid"}
    assert found[1:] == ["drop surplus exact copy"] * 2


def test_equal_test_pictures_stay() -> None:
    table = manifest([("fer2013", "test", "fear", "a", 0)] * 2)

    assert reasons(clean_split(table)) == ["test", "test"]


def test_excluded_pictures_are_in_no_part_of_either_split() -> None:
    table = manifest([("fer2013", "train", "fear", "a", -1), ("fer2013", "test", "fear", "b", -1)])

    assert reasons(published_split(table, excluded=[0, 1])) == ["drop excluded"] * 2
    assert reasons(clean_split(table, excluded=[0, 1])) == ["drop excluded"] * 2


def test_what_is_excluded_says_so_whatever_else_would_drop_it() -> None:
    table = manifest(
        [
            ("gimefive_valid", "valid", "fear", "a", -1),
            ("disfa", "unlabelled", "", "b", -1),
            ("affectnet", "valid", "fear", "c", -1),
        ]
    )

    assert reasons(clean_split(table, excluded=[0, 1, 2])) == ["drop excluded"] * 3
    assert reasons(clean_split(table, excluded=[]))[2] == "valid"


def test_clean_has_no_exact_and_no_near_leak() -> None:
    table = random_manifest()
    table["part"] = clean_split(table)["part"]

    used = table[table["part"] != "drop"]

    grouped = used[used["group"] >= 0]
    assert len(grouped) > 100
    assert (used.groupby("pixel_hash")["part"].nunique() == 1).all()
    assert (grouped.groupby("group")["part"].nunique() == 1).all()


def test_clean_test_is_the_published_test() -> None:
    table = random_manifest()

    is_test = clean_split(table)["part"] == "test"

    assert is_test.tolist() == (table["split"] == "test").tolist()


def test_groups_in_clean_train_have_one_label() -> None:
    table = random_manifest()
    table["part"] = clean_split(table)["part"]
    kept = table[table["part"].isin(["train", "valid"]) & (table["group"] >= 0)]

    assert (kept.groupby("group")["label"].nunique() == 1).all()


def test_valid_takes_a_tenth_of_every_source_and_class() -> None:
    table = random_manifest(20000, seed=1)
    table["part"] = clean_split(table)["part"]
    kept = table[table["part"].isin(["train", "valid"])]

    shares = (kept["part"] == "valid").groupby([kept["source"], kept["label"]]).mean()

    sizes = kept.groupby(["source", "label"]).size()
    spread = 4 * np.sqrt(VALID_SHARE * (1 - VALID_SHARE) / sizes)
    assert len(shares) == 18
    assert ((shares - VALID_SHARE).abs() < spread).all()


def test_a_source_is_split_alike_alone_and_among_others() -> None:
    table = random_manifest()
    # Copies across sources do change a picture's lot, as they must.
    sources = table.groupby("group")["source"].transform("nunique")
    table.loc[(table["group"] >= 0) & (sources > 1), "group"] = -1
    table["pixel_hash"] += table["source"]
    alone = table[table["source"] == "raf_db"].reset_index(drop=True)

    together = clean_split(table)["part"][table["source"] == "raf_db"]

    assert set(alone["id"]) == set(range(len(alone)))
    assert clean_split(alone)["part"].tolist() == together.tolist()
