"""Insertion and deletion on functions whose curves are known, and the orders behind them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from core.explain.batch import enlarged
from core.explain.occlusion import blurred
from core.faithfulness.insertion_deletion import curve_ends, curves, pixel_ranks

SIDE = 16


def dice() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_ranks_follow_the_values() -> None:
    maps = torch.arange(SIDE * SIDE, dtype=torch.float32).reshape(1, SIDE, SIDE)

    ranks = pixel_ranks(maps, SIDE, dice())

    assert ranks[0, -1, -1] == 0
    assert ranks[0, 0, 0] == 1 - 1 / SIDE**2
    assert torch.equal(ranks.flatten().sort().values, torch.arange(SIDE**2) / SIDE**2)


def test_any_share_takes_exactly_its_number_of_pixels_even_with_ties() -> None:
    maps = torch.zeros(3, 4, 4)
    maps[1, 0, 0] = 1.0

    ranks = pixel_ranks(maps, SIDE, dice())

    for share in (0.25, 0.5, 0.75):
        assert (ranks < share).sum(dim=(1, 2)).tolist() == [share * SIDE**2] * 3


def test_equal_pixels_are_ordered_by_chance() -> None:
    first, second = (
        pixel_ranks(torch.zeros(1, 4, 4), SIDE, torch.Generator().manual_seed(seed))
        for seed in (0, 1)
    )

    assert not torch.equal(first, second)
    # An order by position would leave the upper half for last: its mean rank would be near 1/4.
    assert float(first[0, : SIDE // 2].mean()) == pytest.approx(0.5, abs=0.06)


def test_coarse_maps_are_enlarged_bilinearly() -> None:
    maps = torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])

    found = enlarged(maps, 4)

    torch.testing.assert_close(found[0, 0], torch.tensor([0.0, 0.25, 0.75, 1.0]))


def left_share(batch: Tensor) -> Tensor:
    """Probability of class 0: how much of the left half differs from its blurred state."""
    sharp = (batch[:, 0, :, : SIDE // 2].abs() > 0.5).float().mean(dim=(1, 2))
    return torch.stack([sharp, 1 - sharp], dim=1)


def checks() -> Tensor:
    """A fine chequerboard of +1 and -1, which a blur makes nearly zero."""
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(SIDE // 2, SIDE // 2)
    return board.expand(2, 1, SIDE, SIDE).clone()


def test_curves_of_a_perfect_and_an_inverted_map_are_known() -> None:
    batch, targets = checks(), torch.tensor([0, 0])
    assert blurred(batch).abs().max() < 0.5
    left = torch.zeros(SIDE, SIDE)
    left[:, : SIDE // 2] = 1.0
    ranks = pixel_ranks(torch.stack([left, -left]), SIDE, dice())
    ends = curve_ends(left_share, batch, targets)

    found = curves(left_share, batch, targets, ranks, ends, 3)

    assert found.fractions.tolist() == [0, 0.25, 0.5, 0.75, 1]
    np.testing.assert_allclose(found.inserted, [[0, 0.5, 1, 1, 1], [0, 0, 0, 0.5, 1]])
    np.testing.assert_allclose(found.deleted, [[1, 0.5, 0, 0, 0], [1, 1, 1, 0.5, 0]])
    np.testing.assert_allclose(found.insertion, [0.75, 0.25])
    np.testing.assert_allclose(found.deletion, [0.25, 0.75])
    np.testing.assert_allclose(found.gap, [0.5, -0.5])


def test_each_face_is_judged_by_its_own_class() -> None:
    batch, targets = checks(), torch.tensor([0, 1])
    left = torch.zeros(2, SIDE, SIDE)
    left[:, :, : SIDE // 2] = 1.0
    ends = curve_ends(left_share, batch, targets)

    found = curves(left_share, batch, targets, pixel_ranks(left, SIDE, dice()), ends, 1)

    np.testing.assert_allclose(found.gap, [0.5, -0.5])
    assert ends.whole.tolist() == [1, 0]
    assert ends.blank.tolist() == [0, 1]


def test_a_random_order_gains_nothing_on_average() -> None:
    batch = checks()[:1].expand(64, -1, -1, -1)
    targets = torch.zeros(64, dtype=torch.int64)
    chance = torch.rand(64, SIDE, SIDE, generator=dice())
    ends = curve_ends(left_share, batch, targets)

    found = curves(left_share, batch, targets, pixel_ranks(chance, SIDE, dice()), ends, 7)

    assert abs(float(found.gap.mean())) < 0.02
