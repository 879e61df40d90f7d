"""Average drop, increase in confidence and ROAD with answers known beforehand."""

import numpy as np
import torch
from torch import Tensor

from core.faithfulness.insertion_deletion import pixel_ranks
from core.faithfulness.masking import masked, road

SIDE = 16


def brightness(batch: Tensor) -> Tensor:
    """Probability of class 0: the mean of the left half."""
    left = batch[:, 0, :, : SIDE // 2].mean(dim=(1, 2))
    return torch.stack([left, 1 - left], dim=1)


def halves() -> tuple[Tensor, Tensor]:
    """A map of the left half and one of the right."""
    left = torch.zeros(SIDE, SIDE)
    left[:, : SIDE // 2] = 2.0
    return left, left.flip(1)


def test_keeping_the_evidence_loses_nothing_and_keeping_the_rest_loses_all() -> None:
    left, right = halves()
    batch = torch.full((3, 1, SIDE, SIDE), 0.8)
    maps = torch.stack([left, right, torch.zeros(SIDE, SIDE)])

    found = masked(brightness, batch, torch.zeros(3, dtype=torch.int64), maps, np.full(3, 0.8))

    np.testing.assert_allclose(found.drop, [0, 1, 1], atol=1e-6)


def test_a_map_dims_in_proportion_to_its_own_maximum() -> None:
    maps = torch.cat(
        [torch.full((1, SIDE, SIDE // 2), 1.0), torch.full((1, SIDE, SIDE // 2), 4.0)], 2
    )

    found = masked(
        brightness, torch.full((1, 1, SIDE, SIDE), 0.8), torch.tensor([0]), maps, np.array([0.8])
    )

    np.testing.assert_allclose(found.drop, [0.75], atol=1e-6)


def test_a_rise_is_counted_and_no_negative_drop() -> None:
    left, right = halves()
    batch = torch.full((2, 1, SIDE, SIDE), 0.8)

    found = masked(
        brightness, batch, torch.tensor([1, 1]), torch.stack([left, right]), np.full(2, 0.2)
    )

    assert found.rises.tolist() == [False, True]
    np.testing.assert_allclose(found.drop, [0, 0], atol=1e-6)


def test_negative_values_count_as_none() -> None:
    left, right = halves()

    found = masked(
        brightness,
        torch.full((1, 1, SIDE, SIDE), 0.8),
        torch.tensor([0]),
        (left - 5 * right)[None],
        np.array([0.8]),
    )

    np.testing.assert_allclose(found.drop, [0], atol=1e-6)


def spots(batch: Tensor) -> Tensor:
    """Probability of class 0: how much the left half differs from its neighbours."""
    rough = (batch[:, 0, :, 1 : SIDE // 2] - batch[:, 0, :, : SIDE // 2 - 1]).abs() > 1
    share = rough.float().mean(dim=(1, 2))
    return torch.stack([share, 1 - share], dim=1)


def test_road_is_positive_for_a_true_map_and_negative_for_its_opposite() -> None:
    left, right = halves()
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(SIDE // 2, SIDE // 2)
    batch = board.expand(2, 1, SIDE, SIDE)
    ranks = pixel_ranks(torch.stack([left, right]), SIDE, torch.Generator().manual_seed(0))

    found = road(spots, batch, torch.tensor([0, 0]), ranks, shares=(0.5,))

    # Half the pixels gone: the right half untouched leaves all of the left, or none of it.
    np.testing.assert_allclose(found, [1, -1])
