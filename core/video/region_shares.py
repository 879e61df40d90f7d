"""How the heat drawn on a face is spread over its parts."""

import cv2
import numpy as np

from core.faces import REGIONS, regions
from core.types import BLANK, Explanation, Face

FINE = 16  # cells a side from which brow and eye no longer share one
COARSE_NOTE = (
    "The maps have {cells} cells, in which neighbouring parts of a face share a cell: read region "
    "shares as rough."
)
_SIDE = 64  # pixels, of the masks


def region_shares(face: Face, explanation: Explanation, label: str) -> dict[str, float] | None:
    """Share of the positive evidence for a class in each region, as it is drawn on the face.

    Args:
        face: With landmarks.
        explanation: Of that face.
        label: The class.

    Returns:
        One number a region of `core.faces.REGIONS`, 0 to 1, sum 1; None for a blank map or where
        there are no landmarks.
    """
    points = face.crop_landmarks
    if points is None:
        return None
    heat = np.maximum(explanation.map_of(label), 0).astype(np.float32)
    if float(heat.max(initial=0.0)) <= BLANK:
        return None
    heat = np.asarray(cv2.resize(heat, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
    total = float(heat.sum())
    # Pixel centres: 0 in the small picture is (scale - 1) / 2 in the large one.
    scale = _SIDE / face.crop.shape[0]
    masks = regions(((points + 0.5) * scale - 0.5).astype(np.float32), _SIDE)
    return {name: float(heat[masks[name]].sum()) / total for name in REGIONS}
