"""The small separable network of the sibling report on FER2013 (after Arriaga et al., 2017)."""

import torch
from torch import Tensor, nn


class SeparableConv(nn.Module):
    """A depthwise 3x3 convolution followed by a pointwise one, both without bias."""

    def __init__(self, channels: int, following: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, following, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 (N, C, H, W) to (N, C', H, W)."""
        mixed: Tensor = self.pointwise(self.depthwise(features))
        return mixed


class SeparableBlock(nn.Module):
    """Two separable convolutions and a stride-2 pooling, added to a 1x1 shortcut of stride 2."""

    def __init__(self, channels: int, following: int) -> None:
        super().__init__()
        self.separable1 = SeparableConv(channels, following)
        self.bn1 = nn.BatchNorm2d(following)
        self.relu1 = nn.ReLU()
        self.separable2 = SeparableConv(following, following)
        self.bn2 = nn.BatchNorm2d(following)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.shortcut = nn.Sequential()
        self.shortcut.add_module("conv", nn.Conv2d(channels, following, 1, stride=2, bias=False))
        self.shortcut.add_module("bn", nn.BatchNorm2d(following))

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 (N, C, H, W) to (N, C', ceil(H / 2), ceil(W / 2))."""
        path = self.relu1(self.bn1(self.separable1(features)))
        path = self.pool(self.bn2(self.separable2(path)))
        total: Tensor = path + self.shortcut(features)
        return total


class MiniXception(nn.Module):
    """Fully convolutional classifier for one grey channel of 44x44 pixels.

    Args:
        classes: Number of outputs K.
    """

    explain_layer = "classifier"
    layers: int | None = None  # the report does not count them

    def __init__(self, classes: int = 7) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("conv1", nn.Conv2d(1, 8, 3, bias=False))
        self.stem.add_module("bn1", nn.BatchNorm2d(8))
        self.stem.add_module("relu1", nn.ReLU())
        self.stem.add_module("conv2", nn.Conv2d(8, 8, 3, bias=False))
        self.stem.add_module("bn2", nn.BatchNorm2d(8))
        self.stem.add_module("relu2", nn.ReLU())
        self.blocks = nn.Sequential()
        channels = 8
        for number, following in enumerate((16, 32, 64, 128), start=1):
            self.blocks.add_module(f"block{number}", SeparableBlock(channels, following))
            channels = following
        self.classifier = nn.Conv2d(channels, classes, 3, padding=1)
        self.gap = nn.AdaptiveAvgPool2d(1)

    def forward(self, batch: Tensor) -> Tensor:
        """Logits float32 (N, K) of float32 (N, 1, 44, 44)."""
        cells = self.classifier(self.blocks(self.stem(batch)))  # (N, K, 3, 3)
        return torch.flatten(self.gap(cells), 1)
