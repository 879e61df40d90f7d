"""Cut a rectangle out of a picture, also where it reaches over the edge."""

import cv2
import numpy as np

from core.types import Box, Image


def cut(image: Image, box: Box, *, black: bool = False) -> Image:
    """The pixels of a box; beyond the picture its edge is repeated, or black.

    Args:
        image: RGB uint8 (H, W, 3).
        box: At least one pixel wide and high; it may lie beyond the picture altogether.
        black: Whether black takes the place of the repeated edge.

    Returns:
        RGB uint8 (box.height, box.width, 3); a view into the picture where the box lies inside.
    """
    height, width = image.shape[:2]
    # At least one row and column are kept, so that there is an edge to repeat.
    left, top = min(max(box.left, 0), width - 1), min(max(box.top, 0), height - 1)
    right, bottom = max(min(box.right, width), left + 1), max(min(box.bottom, height), top + 1)
    before = max(left - box.left, 0), max(top - box.top, 0)
    after = max(box.right - right, 0), max(box.bottom - bottom, 0)
    inside = image[top:bottom, left:right]
    if before == after == (0, 0):
        return inside
    kind = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
    padded = cv2.copyMakeBorder(inside, before[1], after[1], before[0], after[0], kind)
    # A box that lies beyond the picture got one row or column too many.
    return np.asarray(padded[: box.height, : box.width], np.uint8)
