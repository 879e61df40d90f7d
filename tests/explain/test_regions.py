"""Evidence a region, computed by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core import Explanation
from core.errors import ExplainError
from core.explain.regions import cell_shares, evidence_shares, fit_masks, region_evidence
from core.preprocess import Preprocess


def halves(side: int) -> dict[str, NDArray[np.bool_]]:
    left = np.zeros((side, side), dtype=bool)
    left[:, : side // 4] = True
    return {"left": left, "right": ~left}


def explanation(maps: NDArray[np.float32]) -> Explanation:
    return Explanation("hires_cam", "relu", ("a", "b"), maps, signed=True)


def test_shares_and_signed_evidence_are_those_of_the_cells() -> None:
    maps = np.zeros((2, 16, 16), dtype=np.float32)
    maps[0, 0, 0], maps[0, 0, 15], maps[0, 1, 15] = 3.0, 1.0, -2.0
    maps[1, 5, 0] = 0.5

    left, right = region_evidence(explanation(maps), halves(64), "a", "b")

    assert (left.region, right.region) == ("left", "right")
    assert (left.area, right.area) == (0.25, 0.75)
    assert (left.share, right.share) == (0.75, 0.25)
    assert left.lift == 3.0
    assert right.lift == pytest.approx(1 / 3)
    assert (left.evidence, right.evidence) == (3.0, -1.0)
    assert (left.contrast, right.contrast) == (2.5, -1.0)


def test_a_cell_on_the_border_counts_by_the_part_inside() -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[:, :6] = True  # one and a half of the cells of 4 pixels

    shares = cell_shares({"left": mask}, 16, 16)[0]

    np.testing.assert_allclose(shares[:, :3], np.tile([1.0, 0.5, 0.0], (16, 1)))


def test_cells_that_cut_pixels_count_each_by_its_part() -> None:
    mask = np.zeros((3, 3), dtype=bool)
    mask[0, 0] = mask[1, 2] = True

    shares = cell_shares({"some": mask}, 2, 2)[0]

    # A cell is one and a half pixels wide and high, and so 9/4 pixels in area.
    np.testing.assert_allclose(shares, [[1 / (9 / 4), 0.5 / (9 / 4)], [0, 0.5 / (9 / 4)]])


@pytest.mark.parametrize(("side", "cells"), [(44, 20), (64, 16), (16, 64), (30, 17)])
def test_parts_of_cells_add_up_to_the_masks_area(side: int, cells: int) -> None:
    mask = np.random.default_rng(0).random((side, side)) < 0.3

    shares = cell_shares({"some": mask}, cells, cells)[0]

    assert shares.mean() == pytest.approx(mask.mean(), abs=1e-6)
    assert shares.max() <= 1 + 1e-6


def test_shares_are_the_positive_evidence_inside() -> None:
    lower = np.zeros((4, 4), dtype=bool)
    lower[2:] = True
    heat = np.array([[1.0, -5.0], [2.0, 1.0]])

    shares = evidence_shares(heat, cell_shares({"lower": lower, "upper": ~lower}, 2, 2))

    assert shares is not None
    np.testing.assert_allclose(shares, [3 / 4, 1 / 4])


def test_without_positive_evidence_there_are_no_shares() -> None:
    assert evidence_shares(-np.ones((2, 2)), np.ones((1, 2, 2))) is None


def test_a_blank_map_has_no_shares() -> None:
    maps = np.zeros((2, 16, 16), dtype=np.float32)

    found = region_evidence(explanation(maps), halves(64), "a", "b")

    assert [entry.share for entry in found] == [0, 0]
    assert [entry.lift for entry in found] == [0, 0]


def test_an_empty_region_has_nothing() -> None:
    masks = {**halves(64), "hat": np.zeros((64, 64), dtype=bool)}
    maps = np.ones((2, 16, 16), dtype=np.float32)

    hat = region_evidence(explanation(maps), masks, "a", "b")[2]

    assert (hat.area, hat.share, hat.lift, hat.evidence) == (0, 0, 0, 0)


def test_coarse_maps_are_refused() -> None:
    maps = np.zeros((2, 4, 4), dtype=np.float32)

    with pytest.raises(ExplainError, match="4x4 cells, too few"):
        region_evidence(explanation(maps), halves(64), "a", "b")


def test_overlapping_masks_are_refused() -> None:
    masks = {name: np.ones((64, 64), dtype=bool) for name in ("one", "two")}

    with pytest.raises(ExplainError, match="overlap"):
        region_evidence(explanation(np.zeros((2, 16, 16), dtype=np.float32)), masks, "a", "b")


def test_masks_are_fitted_to_what_the_network_sees() -> None:
    masks = halves(96)
    preprocess = Preprocess(size=48, crop=44, mean=(0.5,), std=(0.5,))

    fitted = fit_masks(masks, preprocess)

    # 12 of 48 columns lie left, of which the centre crop cuts 2.
    assert fitted["left"].shape == (44, 44)
    assert fitted["left"][:, :10].all()
    assert not fitted["left"][:, 10:].any()
    assert (fitted["left"] ^ fitted["right"]).all()
