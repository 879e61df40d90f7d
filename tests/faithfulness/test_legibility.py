"""How alike a map and its blur are, and how many places it has, where both are known."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from core.explain import is_readable
from core.faithfulness.method_figures import legibility


def spots(*centres: tuple[int, int], width: float = 5.0) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    found = torch.zeros(64, 64)
    for row, column in centres:
        found += torch.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))
    return found[None]


def test_a_few_broad_spots_can_be_read_and_are_counted() -> None:
    found = legibility(torch.cat([spots((20, 20)), spots((16, 16), (16, 48), (48, 32))]), 64)

    assert found.places.tolist() == [1, 3]
    assert found.likeness.min() > 0.95


def test_likeness_is_the_correlation_with_an_independent_blur() -> None:
    noise = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))

    found = legibility(noise, 64)

    soft = gaussian_filter(noise[0].numpy(), 4, mode="nearest", truncate=3)
    assert found.likeness[0] == pytest.approx(
        np.corrcoef(noise[0].numpy().ravel(), soft.ravel())[0, 1], abs=1e-6
    )
    assert found.likeness[0] < 0.3
    assert found.places[0] > 6


def test_a_constant_map_has_no_likeness_and_no_place() -> None:
    found = legibility(torch.zeros(1, 4, 4), 64)

    assert np.isnan(found.likeness[0])
    assert found.places.tolist() == [0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"legible": 0.89}, False),
        ({"legible": None}, False),
        ({"places": 3.1}, False),
        ({"blank": 0.03}, False),
    ],
)
def test_readable_is_what_meets_all_three(change: dict[str, float | None], expected: bool) -> None:
    assert is_readable({"legible": 0.9, "places": 3.0, "blank": 0.02, **change}) is expected


def test_a_report_that_does_not_say_so_is_not_readable() -> None:
    assert not is_readable({"gap": 0.5, "blank": 0.0})
