"""Watching an explanation: how far it is, that nothing changes by it, and that it can be ended."""

from threading import Thread

import numpy as np
import pytest
import torch

from core import EMOTIONS
from core.explain import explain, watched
from core.models import build


@pytest.fixture
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build("gimefive", len(EMOTIONS), depth=1, width=2, batch_norm=False, fc_depth=1).eval()


FACE = torch.linspace(-1, 1, 64 * 64).expand(3, -1).reshape(1, 3, 64, 64)


def test_every_picture_that_enters_the_network_is_counted(network: torch.nn.Module) -> None:
    seen: list[int] = []

    with watched(seen.append):
        network(FACE)
        network(FACE.expand(5, -1, -1, -1))

    assert seen == [1, 6]


def test_maps_are_the_same_and_the_count_grows(network: torch.nn.Module) -> None:
    plain = explain(network, FACE, EMOTIONS, "integrated_gradients")
    seen: list[int] = []

    with watched(seen.append):
        found = explain(network, FACE, EMOTIONS, "integrated_gradients")

    np.testing.assert_array_equal(found.maps, plain.maps)
    assert seen == sorted(seen)
    assert seen[-1] > 6 * 32  # a path of 32 points a class, at least


def test_what_it_raises_ends_the_work_and_leaves_the_network_usable(
    network: torch.nn.Module,
) -> None:
    class Enough(BaseException):
        pass

    def stop(passes: int) -> None:
        if passes > 40:
            raise Enough

    with pytest.raises(Enough), watched(stop):
        explain(network, FACE, EMOTIONS, "integrated_gradients")

    seen: list[int] = []
    assert explain(network, FACE, EMOTIONS, "grad_cam").maps.shape[0] == len(EMOTIONS)
    with watched(seen.append):
        network(FACE)
    assert seen == [1]


def test_other_threads_are_not_watched(network: torch.nn.Module) -> None:
    seen: list[int] = []

    with watched(seen.append):
        other = Thread(target=network, args=(FACE,))
        other.start()
        other.join()

    assert seen == []
