"""Mirrored copies are found, also cut anew or in other tones; two different faces are not."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from made_pictures import blobs

from core.data.cache import pixel_hash
from core.data.mirrored import (
    COLUMNS,
    find_mirrored,
    linked_groups,
    mirrored_correlations,
    twin_pairs,
)
from core.data.splits import clean_split, published_split, rules_of
from core.preprocess import Preprocess
from core.types import Image


def grey(seed: int, side: int = 64) -> Image:
    return Preprocess().pixels(blobs(seed, side))


def found(images: list[Image], alike: bool = False) -> set[tuple[int, int]]:
    hashes = [pixel_hash(image) for image in images]
    table = find_mirrored(np.stack(images), hashes, np.full(len(images), alike))
    assert list(table.columns) == COLUMNS
    return set(zip(table["first"].tolist(), table["second"].tolist(), strict=True))


def turned(image: Image) -> Image:
    return image[:, ::-1].copy()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image,
        lambda image: (image * 0.6 + 30).astype(np.uint8),
        lambda image: (255 * (image / 255.0) ** 1.5).astype(np.uint8),
        lambda image: np.pad(image, ((3, 0), (0, 2)), mode="edge")[:64, 2:],
    ],
    ids=["as it is", "paler", "darker in the middle", "cut 3 lower and 2 to the left"],
)
def test_mirrored_copies_are_pairs(change: Callable[[Image], Image]) -> None:
    images = [grey(1), grey(2), change(turned(grey(1)))]

    assert found(images) == {(0, 2)}


def test_copies_that_are_not_mirrored_and_other_pictures_are_no_pairs() -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(grey(1) + rng.normal(0, 5, (64, 64)), 0, 255).astype(np.uint8)

    assert found([grey(1), noisy, *(grey(seed) for seed in range(2, 200))]) == set()


def test_two_copies_of_a_symmetric_face_are_not_called_mirrored() -> None:
    half = grey(1)[:, :32]
    symmetric = np.hstack([half, half[:, ::-1]])
    paler = (symmetric * 0.8 + 20).astype(np.uint8)

    assert found([symmetric, paler]) == set()


def test_light_from_one_side_does_not_make_two_faces_one() -> None:
    ramp = np.linspace(0, 2.5, 64)
    faces = [60 * (grey(seed) / 255.0) + 50 * ramp for seed in (1, 2)]
    images = [faces[0].astype(np.uint8), turned(faces[1].astype(np.uint8))]

    assert found(images) == set()


def test_pictures_of_sources_that_look_alike_must_agree_more() -> None:
    rng = np.random.default_rng(3)
    noisy = np.clip(turned(grey(1)) + rng.normal(0, 13, (64, 64)), 0, 255).astype(np.uint8)

    assert found([grey(1), noisy]) == {(0, 1)}
    assert found([grey(1), noisy], alike=True) == set()


def test_of_equal_pictures_the_first_stands_for_all() -> None:
    assert found([grey(1), grey(1), turned(grey(1)), turned(grey(1))]) == {(0, 2)}


def test_blocks_find_what_one_block_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [grey(seed) for seed in range(12)] + [turned(grey(seed)) for seed in range(12)]
    monkeypatch.setattr("core.data.mirrored.BLOCK", 5)

    assert found(images) == {(seed, seed + 12) for seed in range(12)}


def test_flat_pictures_agree_with_nothing() -> None:
    flat = np.full((64, 64), 90, np.uint8)
    edged = flat.copy()
    edged[:, :8] = 255

    assert found([edged, turned(edged)]) == set()
    assert mirrored_correlations(np.stack([flat, grey(1)]), np.array([[0, 1]])).tolist() == [0.0]


def test_no_pictures_have_no_pairs() -> None:
    assert find_mirrored(np.zeros((0, 64, 64), np.uint8), [], np.zeros(0, bool)).empty


def manifest(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    """Rows of (split, label, group)."""
    table = pd.DataFrame(rows, columns=["split", "label", "group"])
    hashes = [f"{number:032x}" for number in range(len(rows))]
    return table.assign(id=range(len(rows)), source="fer2013", pixel_hash=hashes)


def links(*pairs: tuple[int, int]) -> pd.DataFrame:
    return pd.DataFrame([(*pair, 0.97) for pair in pairs], columns=COLUMNS)


def test_a_mirrored_pair_links_the_groups_of_both() -> None:
    table = manifest([("train", "fear", 0), ("train", "fear", 0), ("test", "fear", -1),
                      ("test", "fear", 3), ("test", "fear", 3)])  # fmt: skip

    assert linked_groups(table, links((1, 4))).tolist() == [0, 0, 2, 0, 0]
    assert linked_groups(table, None).tolist() == [0, 0, 2, 3, 3]


def test_a_twin_is_the_copy_of_the_same_label_and_never_one_of_the_own_group() -> None:
    table = manifest(
        [
            ("train", "anger", -1),
            ("train", "fear", -1),
            ("test", "fear", -1),
            ("train", "fear", 3),
            ("test", "fear", 3),
        ]
    )

    pairs = twin_pairs(table, links((0, 2), (1, 2)), table["split"], "train", "test")

    assert pairs.to_numpy().tolist() == [[1, 2]]
    assert twin_pairs(table, None, table["split"], "train", "test").empty


def test_published_marks_a_mirrored_twin_only_where_there_is_no_other() -> None:
    table = manifest([("train", "fear", 0), ("test", "fear", 0), ("train", "fear", -1),
                      ("test", "fear", -1), ("test", "fear", -1)])  # fmt: skip

    split = published_split(table, (), links((1, 2), (2, 3)))

    assert split["part"].tolist() == ["train", "test", "train", "test", "test"]
    assert split["reason"].tolist() == ["", "twin: near", "", "mirrored twin", ""]


def test_clean_keeps_a_photograph_on_one_side_and_moves_nothing() -> None:
    rng = np.random.default_rng(0)
    count = 400
    rows = [("test" if number % 4 == 0 else "train", "fear", -1) for number in range(count)]
    table = manifest(rows).assign(pixel_hash=[f"{rng.integers(2**62):032x}" for _ in rows])
    pairs = links(*((number, number + 1) for number in range(0, count, 2)))

    before, after = clean_split(table), clean_split(table, (), pairs)

    moved = before["part"] != after["part"]
    assert set(after.loc[moved, "part"]) == {"drop"}
    parts = after["part"].to_numpy()
    both = [{parts[number], parts[number + 1]} - {"drop"} for number in range(0, count, 2)]
    assert max(map(len, both)) == 1
    reasons = after.loc[moved, "reason"].value_counts()
    assert reasons["mirrored copy of a test picture"] == 100
    valid = before["part"].to_numpy() == "valid"
    across = sum(valid[number] != valid[number + 1] for number in range(2, count, 4))
    assert reasons["mirrored copy of a validation picture"] == across > 0


def test_rules_have_a_number() -> None:
    assert (rules_of(None), rules_of(links())) == (1, 2)
