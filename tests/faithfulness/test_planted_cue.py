"""Maps of a network that only a mark can have taught, and the share that lies on the mark."""

import numpy as np
import pytest
import torch
from torch import Tensor

from core.errors import ExplainError
from core.faithfulness.planted_cue import planted_cue, share_inside


def textures(count: int, seed: int) -> Tensor:
    """Smooth noise, float32 (count, 3, 64, 64)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(count, 1, 8, 8, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bicubic")
    return fine.expand(-1, 3, -1, -1).contiguous()


def test_a_share_is_what_lies_inside_by_hand() -> None:
    maps = torch.tensor([[[3.0, 1.0], [-5.0, 0.0]], [[0.0, 0.0], [0.0, -1.0]]])
    places = torch.tensor([[[True, False], [True, False]]]).expand(2, -1, -1)

    np.testing.assert_allclose(share_inside(maps, places), [0.75, 0.0])


@pytest.mark.slow
def test_maps_of_the_class_find_the_mark_and_the_last_layers_grad_cam_hardly_does() -> None:
    found = planted_cue(
        textures(64, 0), textures(24, 1), ["expected_cam", "layer_cam", "grad_cam"], mark=20
    )

    assert found.area == pytest.approx(400 / 4096)
    assert found.accuracy >= 0.98
    assert found.refused == {}
    means = {name: float(shares.mean()) for name, shares in found.shares.items()}
    assert means["expected_cam"] >= 0.6
    assert means["layer_cam"] >= 3 * found.area
    assert means["expected_cam"] > means["grad_cam"]


def test_one_grey_plane_comes_to_the_same_as_three() -> None:
    training, faces = textures(64, 0)[..., :32, :32], textures(8, 1)[..., :32, :32]

    three = planted_cue(training, faces, ["layer_cam"])
    one = planted_cue(training[:, :1], faces[:, :1], ["layer_cam"])

    assert one.accuracy == three.accuracy
    np.testing.assert_allclose(one.shares["layer_cam"], three.shares["layer_cam"])


@pytest.mark.parametrize("mark", [64, 40, 2])
def test_a_mark_as_large_as_the_face_or_too_small_is_refused(mark: int) -> None:
    with pytest.raises(ExplainError, match=f"The mark has {mark} pixels a side and the face 64"):
        planted_cue(textures(4, 0), textures(4, 1), ["layer_cam"], mark=mark)


def test_without_faces_it_says_so() -> None:
    with pytest.raises(ExplainError, match="no face to plant"):
        planted_cue(textures(4, 0)[:0], textures(4, 1), ["layer_cam"])
