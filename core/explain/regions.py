"""How a signed map's evidence is spread over the parts of a face."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ExplainError
from core.preprocess import Preprocess
from core.types import BLANK, FINE_CELLS, Explanation

BACKGROUND = "background"  # the mask of what is no part of the face

Masks = Mapping[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class RegionEvidence:
    """What a map says of one region; descriptive, unlike the measured effect of hiding it.

    Attributes:
        region: Name of the mask.
        area: Share of the picture, 0 to 1.
        share: Share of the map's positive evidence, 0 to 1; 0 in a blank map.
        lift: `share` by `area`: 1 where the region has as much as its size alone explains.
        evidence: Sum of the map for the predicted class, in logits where the map is complete.
        contrast: The same of the predicted class's map minus the runner-up's.
    """

    region: str
    area: float
    share: float
    lift: float
    evidence: float
    contrast: float


def region_evidence(
    explanation: Explanation, masks: Masks, predicted: str, runner_up: str
) -> list[RegionEvidence]:
    """Share, lift and signed evidence of every region.

    Args:
        explanation: Maps of at least FINE_CELLS a side.
        masks: bool (S, S) a region, over the part of the crop that the network saw.
        predicted: The class explained.
        runner_up: The class it is compared with.

    Raises:
        ExplainError: The cells are too coarse, or the masks overlap or are no squares.
    """
    height, width = explanation.maps.shape[1:]
    if min(height, width) < FINE_CELLS:
        raise ExplainError(
            f"The map of {explanation.method} at {explanation.layer} has {height}x{width} cells, "
            f"too few to tell the parts of a face apart; expected at least {FINE_CELLS} a side. "
            "Choose a finer layer."
        )
    check_masks(masks)
    own = explanation.map_of(predicted).astype(np.float64)
    other = explanation.map_of(runner_up).astype(np.float64)
    cells = cell_shares(masks, height, width)
    shares = evidence_shares(own, cells)
    found = []
    for row, name in enumerate(masks):
        area = float(cells[row].mean())
        share = 0.0 if shares is None else float(shares[row])
        found.append(
            RegionEvidence(
                region=name,
                area=area,
                share=share,
                lift=share / area if area > 0 else 0.0,
                evidence=float((own * cells[row]).sum()),
                contrast=float(((own - other) * cells[row]).sum()),
            )
        )
    return found


def evidence_shares(
    heat: NDArray[np.float64], cells: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Part of a map's positive evidence that lies in each region.

    Args:
        heat: float64 (h, w), the map.
        cells: float64 (R, h, w), `cell_shares` of the regions.

    Returns:
        float64 (R,), 0 to 1, of sum 1 where the regions cover the picture; None for a blank map.
    """
    positive = np.maximum(heat, 0)
    total = float(positive.sum())
    if total <= BLANK:
        return None
    shares: NDArray[np.float64] = (cells * positive).sum(axis=(1, 2)) / total
    return shares


def cell_shares(masks: Masks, height: int, width: int) -> NDArray[np.float64]:
    """Part of every cell of a map that each mask covers.

    Spreading a cell's value evenly over its pixels and summing those inside the mask comes to the
    same as weighing the cell by this part.

    Args:
        masks: bool (S, S) a region.
        height: Cells of the map from top to bottom.
        width: Cells from left to right.

    Returns:
        float64 (R, height, width), 0 to 1, exact also where cells and pixels do not fall together.
    """
    drawn = np.stack(list(masks.values())).astype(np.float64)
    shares: NDArray[np.float64] = (
        _overlaps(height, drawn.shape[1]) @ drawn @ _overlaps(width, drawn.shape[2]).T
    )
    return shares


def _overlaps(cells: int, pixels: int) -> NDArray[np.float64]:
    """Part of each cell that each pixel of the same line makes up, float64 (cells, pixels)."""
    # In units of 1 / (cells * pixels) of the line all edges are whole numbers.
    cell, pixel = np.arange(cells)[:, None] * pixels, np.arange(pixels)[None] * cells
    common = np.minimum(cell + pixels, pixel + cells) - np.maximum(cell, pixel)
    parts: NDArray[np.float64] = np.maximum(common, 0) / pixels
    return parts


def fit_masks(masks: Masks, preprocess: Preprocess) -> dict[str, NDArray[np.bool_]]:
    """Bring masks of a crop to the pixels that the network sees.

    Args:
        masks: bool (S, S) a region, over the whole crop, of any side.
        preprocess: What the crop goes through.

    Returns:
        bool (crop, crop) a region.
    """
    size, margin = preprocess.size, (preprocess.size - preprocess.crop) // 2
    window = slice(margin, margin + preprocess.crop)
    exact = cv2.INTER_NEAREST_EXACT  # nearest neighbours keep disjoint masks disjoint
    fitted = {}
    for name, mask in masks.items():
        scaled = cv2.resize(mask.astype(np.uint8), (size, size), interpolation=exact)
        fitted[name] = scaled[window, window] > 0
    return fitted


def check_masks(masks: Masks) -> None:
    """Refuse masks that are not disjoint squares of one size.

    Raises:
        ExplainError: They are something else.
    """
    shapes = {mask.shape for mask in masks.values()}
    if len(shapes) != 1 or any(mask.ndim != 2 for mask in masks.values()):
        raise ExplainError(f"Region masks have the shapes {shapes}; expected one (S, S) for all.")
    if int(np.sum([mask.astype(np.uint8) for mask in masks.values()], axis=0).max()) > 1:
        raise ExplainError(
            "Region masks overlap, so evidence would count twice. Give each pixel one region."
        )
