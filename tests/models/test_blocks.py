"""Parts of networks with known behaviour."""

import pytest
import torch
from torch import nn

from core.models.blocks import Dropout, on_grey

CHANNELS_LAST = torch.channels_last


@pytest.mark.parametrize("share", [0.2, 0.5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, CHANNELS_LAST])
def test_dropout_drops_its_share_and_keeps_the_mean(
    share: float, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    ones = torch.ones(16, 32, 31, 33).contiguous(memory_format=layout)

    found = Dropout(share).train()(ones)

    values = found.unique()
    assert len(values) == 2
    assert values[0] == 0
    assert values[1] == pytest.approx(1 / (1 - share), rel=2e-3)
    assert (found == 0).float().mean() == pytest.approx(share, abs=3e-3)
    assert found.mean() == pytest.approx(1, abs=3e-3)
    assert found.is_contiguous(memory_format=layout)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5).train()(torch.ones(1000, 1000)) > 0).float() - 0.5

    for step in (1, 2, 7, 8):  # eight values share a random word
        assert abs(float((kept[:, step:] * kept[:, :-step]).mean())) < 2e-3
    assert abs(float((kept[1:] * kept[:-1]).mean())) < 2e-3


def test_the_seed_decides_the_mask() -> None:
    layer, ones = Dropout(0.2).train(), torch.ones(100)
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(layer(ones))

    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_the_gradient_passes_where_values_pass() -> None:
    torch.manual_seed(0)
    ones = torch.ones(64, 64, requires_grad=True)

    found = Dropout(0.3).train()(ones)
    found.sum().backward()

    torch.testing.assert_close(ones.grad, found.detach())


@pytest.mark.parametrize(
    ("share", "train", "left"), [(0.5, False, 1.0), (0.0, True, 1.0), (1.0, True, 0.0)]
)
def test_nothing_and_everything(share: float, train: bool, left: float) -> None:
    layer = Dropout(share).train(train)

    assert torch.equal(layer(torch.ones(50)), torch.full((50,), left))
    assert isinstance(layer, nn.Dropout)  # libraries that look for dropout find it


def test_a_slice_with_gaps_is_dropped_as_well() -> None:
    torch.manual_seed(0)
    found = Dropout(0.5).train()(torch.ones(100, 100)[:, ::2])

    assert found.shape == (100, 50)
    assert 0.4 < float((found == 0).float().mean()) < 0.6


@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_on_grey_is_the_same_function_also_at_the_edges(bias: bool) -> None:
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 4, 5, stride=2, padding=2, bias=bias)
    scale, shift = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([1.0, 3.0, -0.5])
    grey = torch.rand(2, 1, 9, 9)

    found = on_grey(convolution, scale, shift)(torch.cat([grey, torch.ones_like(grey)], dim=1))

    planes = grey * scale[:, None, None] + shift[:, None, None]
    torch.testing.assert_close(found, convolution(planes), rtol=0, atol=1e-5)
