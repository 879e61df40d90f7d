"""The moving photo that stands for a camera in benches, the sample and browser tests."""

import numpy as np
import pytest

from core.faces import detect
from core.video import sample_film


@pytest.mark.parametrize("faces", [1, 4])
def test_the_film_holds_so_many_faces_and_they_move(faces: int) -> None:
    images = list(sample_film(26, faces=faces))

    first, last = detect(images[0]), detect(images[-1])

    assert images[0].shape == (480, 640, 3)
    assert len(first) == len(last) == faces
    moved = [
        min(np.hypot(*np.subtract(one.box.centre, other.box.centre)) for other in first)
        for one in last
    ]
    assert min(moved) > 3
