from collections.abc import Callable
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from made_pictures import blobs, jpeg

from core.data import duplicates
from core.data.cache import pixel_hash
from core.data.duplicates import Pairs, Rows, Vectors, correlations, find_pairs, group_rows
from core.preprocess import Preprocess
from core.types import Image


def grey(seed: int) -> Image:
    return Preprocess().pixels(blobs(seed))


def again(picture: Image, quality: int) -> Image:
    """The picture saved as JPEG and read."""
    with PIL.Image.open(BytesIO(jpeg(picture, quality))) as opened:
        return np.asarray(opened)


def found(images: list[Image], alike: bool = False) -> Pairs:
    hashes = [pixel_hash(image) for image in images]
    return find_pairs(np.stack(images), hashes, np.full(len(images), alike))


def as_set(pairs: Pairs) -> set[tuple[int, int, bool]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.exact.tolist(), strict=True))


def test_equal_pictures_are_chained_as_exact_pairs() -> None:
    pairs = found([grey(1), grey(2), grey(1), grey(1)])

    assert as_set(pairs) == {(0, 2, True), (2, 3, True)}
    assert pairs.correlation.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: again(picture, 30),
        lambda picture: (picture * 0.6 + 30).astype(np.uint8),
        lambda picture: 255 - np.asarray(255 - picture) // 2,
        lambda picture: np.asarray(PIL.Image.fromarray(picture).resize((48, 48)).resize((64, 64))),
    ],
    ids=["saved again", "darker", "paler", "resized"],
)
def test_changed_copies_are_near_pairs(change: Callable[[Image], Image]) -> None:
    images = [grey(1), grey(2), change(grey(1))]

    assert as_set(found(images)) == {(0, 2, False)}


def test_different_pictures_are_no_pairs() -> None:
    assert len(found([grey(seed) for seed in range(200)])) == 0


def test_a_face_that_changed_in_the_middle_is_no_copy() -> None:
    scene = grey(1)
    other = scene.copy()
    other[22:42, 22:42] = 255 - other[22:42, 22:42] // 3

    assert len(found([scene, other])) == 0


def test_pictures_of_sources_that_look_alike_must_agree_more() -> None:
    rng = np.random.default_rng(3)
    scene = grey(1)
    noisy = np.clip(scene + rng.normal(0, 9, scene.shape), 0, 255).astype(np.uint8)

    assert len(found([scene, noisy])) == 1
    assert len(found([scene, noisy], alike=True)) == 0


def test_constant_pictures_are_no_near_pairs() -> None:
    flat = [np.full((64, 64), value, np.uint8) for value in (10, 20)]

    assert len(found(flat)) == 0


def test_no_pictures_have_no_pairs() -> None:
    assert len(find_pairs(np.zeros((0, 64, 64), np.uint8), [], np.zeros(0, bool))) == 0


def test_blocks_find_what_one_block_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [grey(seed) for seed in range(20)] + [again(grey(seed), 70) for seed in range(20)]
    whole = as_set(found(images))
    monkeypatch.setattr("core.data.duplicates.BLOCK", 7)

    assert as_set(found(images)) == whole
    assert whole == {(seed, seed + 20, False) for seed in range(20)}


def noisy(scene: Image, number: int, dice: np.random.Generator) -> list[Image]:
    """As many frames of one scene."""
    noise = dice.integers(-3, 4, (number, *scene.shape))
    return list(np.clip(scene + noise, 0, 255).astype(np.uint8))


def test_pairs_of_an_ordinary_group_are_all_listed() -> None:
    images = noisy(grey(1), 30, np.random.default_rng(0))

    pairs = found([*images, grey(2)])

    assert as_set(pairs) == {(a, b, False) for b in range(30) for a in range(b)}


def test_of_thousands_of_copies_no_more_pairs_are_looked_at_than_tell_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []

    def counting(images: Image, pairs: Rows) -> tuple[Vectors, Vectors]:
        looked.append(len(pairs))
        return correlations(images, pairs)

    monkeypatch.setattr(duplicates, "correlations", counting)
    images = [grey(7), *noisy(grey(1), 400, np.random.default_rng(0)), grey(8)]

    pairs = found(images)

    assert len(pairs) == sum(looked) == duplicates.BLOCK  # of 79,800
    assert group_rows(pairs, len(images)).tolist() == [-1, *[1] * 400, -1]


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = np.random.default_rng(seed)
    first, last = grey(seed).astype(float), grey(seed + 10).astype(float)
    film = [first + (last - first) * share for share in np.linspace(0, 1, 60)]
    scene = grey(seed + 20)
    changed = scene.copy()
    changed[22:42, 22:42] = 255 - changed[22:42, 22:42] // 3  # like it, but no copy
    images = [
        *[frame.astype(np.uint8) for frame in film],
        *noisy(scene, 40, dice),
        *noisy(changed, 40, dice),
        *[grey(number) for number in range(40, 60)],
    ]
    images = [images[number] for number in dice.permutation(len(images))]
    monkeypatch.setattr(duplicates, "BLOCK", 16)
    monkeypatch.setattr(duplicates, "SLAB", 5)
    monkeypatch.setattr(duplicates, "LISTED", len(images))
    whole = found(images)
    monkeypatch.setattr(duplicates, "LISTED", 6)

    pairs = found(images)

    assert as_set(pairs) < as_set(whole)
    assert len(pairs) < len(whole) / 2
    groups = group_rows(pairs, len(images))
    np.testing.assert_array_equal(groups, group_rows(whole, len(images)))
    assert sorted(np.unique(groups[groups >= 0], return_counts=True)[1]) == [40, 40, 60]


def test_correlation_is_numpys() -> None:
    images = np.stack([grey(1), grey(2), again(grey(1), 20)])
    pairs = np.array([[0, 1], [0, 2]])

    whole, middle = correlations(images, pairs)

    flat = images.reshape(3, -1).astype(float)
    centre = images[:, 12:52, 12:52].reshape(3, -1).astype(float)
    expected = [np.corrcoef(flat[a], flat[b])[0, 1] for a, b in pairs]
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    expected = [np.corrcoef(centre[a], centre[b])[0, 1] for a, b in pairs]
    np.testing.assert_allclose(middle, expected, atol=1e-5)


def test_groups_join_over_common_members_and_are_named_by_their_first_row() -> None:
    first, second = np.array([0, 2, 4]), np.array([2, 5, 6])
    pairs = Pairs(first, second, np.ones(3, bool), np.ones(3, np.float32))

    assert group_rows(pairs, 8).tolist() == [0, -1, 0, -1, 4, 0, 4, -1]
