"""Networks whose every value matters, and two whose gradients are known by hand."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.models import MODELS, build

BuildModel = Callable[..., nn.Module]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small nets gain nothing from threads, and sums keep one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def trained_like() -> BuildModel:
    """Build a registered network as training leaves one, in eval mode."""

    def make(name: str, classes: int = 6, seed: int = 0, **options: Any) -> nn.Module:  # noqa: ANN401
        torch.manual_seed(seed)
        model = build(name, classes, **options)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, mean=1.0, std=0.5)
                nn.init.normal_(module.bias, std=0.2)
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.2, 0.6)
        return model.eval()

    return make


@pytest.fixture
def face_like() -> Callable[..., Tensor]:
    """Random input of the size a registered network expects."""

    def make(name: str, count: int = 1, seed: int = 1) -> Tensor:
        spec = MODELS[name].preprocess
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(count, spec.channels, spec.crop, spec.crop, generator=generator)

    return make


class LeftRight(nn.Module):
    """y_0 sums the left half, y_1 is minus twice the right half."""

    def forward(self, batch: Tensor) -> Tensor:
        half = batch.shape[-1] // 2
        left = batch[..., :half].sum(dim=(1, 2, 3))
        right = batch[..., half:].sum(dim=(1, 2, 3))
        return torch.stack([left, -2 * right], dim=1)


def face(seed: int = 0, channels: int = 1, side: int = 16, count: int = 1) -> Tensor:
    """Noise in the place of faces, float32 (count, channels, side, side)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, channels, side, side, generator=generator)
