"""The one photograph of a person that tests use."""

import numpy as np
from skimage import data

from core.types import Image


def sample_photo() -> Image:
    """A smiling astronaut, RGB uint8 (512, 512, 3) (NASA, public domain)."""
    return np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]
