from dataclasses import replace

import numpy as np
import pytest
from live_world import live_face

from core.faces import REGIONS
from core.types import Explanation
from core.video.table import region_shares


def explanation(maps: np.ndarray) -> Explanation:
    return Explanation("grad_cam", "last", ("happiness",), maps.astype(np.float32)[None])


def test_an_even_map_gives_each_region_its_area() -> None:
    from core.faces import regions

    face = live_face().face
    assert face.crop_landmarks is not None
    masks = regions(face.crop_landmarks, 64)

    shares = region_shares(face, explanation(np.ones((4, 4))), "happiness")

    assert shares is not None
    assert list(shares) == list(REGIONS)
    for name in REGIONS:
        assert shares[name] == pytest.approx(float(masks[name].mean()), abs=1e-6)


def test_shares_sum_to_one_and_ignore_negative_evidence() -> None:
    maps = np.random.default_rng(0).normal(size=(8, 8))

    shares = region_shares(live_face().face, explanation(maps), "happiness")
    positive = region_shares(live_face().face, explanation(maps.clip(0)), "happiness")

    assert shares == positive
    assert shares is not None
    assert sum(shares.values()) == pytest.approx(1)


def test_heat_in_a_corner_is_background() -> None:
    maps = np.zeros((16, 16))
    maps[0, 0] = 1

    shares = region_shares(live_face().face, explanation(maps), "happiness")

    assert shares is not None
    assert shares["background"] == pytest.approx(1)


def test_a_blank_map_and_a_face_without_landmarks_have_no_shares() -> None:
    face = live_face().face

    assert region_shares(face, explanation(np.zeros((4, 4))), "happiness") is None
    assert (
        region_shares(replace(face, landmarks=None), explanation(np.ones((4, 4))), "happiness")
        is None
    )
