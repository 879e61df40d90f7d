"""Residual networks: ResNet18 and ResNet34 for 64x64 faces, and the paper's 25-layer network."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from core.models.blocks import SqueezeExcitation, fully_connected, main_path_layers


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm, added to a shortcut (He et al., 2016).

    Args:
        channels: Channels in.
        following: Channels out.
        stride: Step of the first convolution and of the shortcut.
        bias: Whether the convolutions have a bias.
        groups: Equal parts of the channels that are kept apart.
    """

    def __init__(
        self, channels: int, following: int, stride: int, *, bias: bool, groups: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, following, 3, stride, padding=1, bias=bias, groups=groups)
        self.bn1 = nn.BatchNorm2d(following)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(following, following, 3, padding=1, bias=bias, groups=groups)
        self.bn2 = nn.BatchNorm2d(following)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != following:
            shortcut = nn.Conv2d(channels, following, 1, stride, bias=bias, groups=groups)
            self.shortcut.add_module("conv", shortcut)
            self.shortcut.add_module("bn", nn.BatchNorm2d(following))
        self.relu2 = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 (N, C, H, W) to (N, C', H / stride, W / stride)."""
        path = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(features)))))
        total: Tensor = self.relu2(path + self.shortcut(features))
        return total


class ResNet(nn.Module):
    """ResNet of basic blocks without the first max pooling, as 64x64 input asks for.

    Args:
        classes: Number of outputs K.
        blocks: Residual blocks in each of the four stages.
    """

    explain_layer = "stage4"

    def __init__(self, classes: int = 6, *, blocks: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(64))
        self.stem.add_module("relu", nn.ReLU())
        channels = 64
        for stage, count in enumerate(blocks, start=1):
            following = 64 * 2 ** (stage - 1)
            strides = [1 if stage == 1 else 2] + [1] * (count - 1)
            parts = nn.Sequential()
            for stride in strides:
                parts.append(ResidualBlock(channels, following, stride, bias=False))
                channels = following
            self.add_module(f"stage{stage}", parts)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, classes)
        self.explain_layer = f"stage4.{blocks[3] - 1}.conv2"

    @property
    def layers(self) -> int:
        """Convolutions on the main path plus the linear layer, the count that names a ResNet."""
        return main_path_layers(self)

    def forward(self, batch: Tensor) -> Tensor:
        """Logits float32 (N, K) of float32 (N, 3, S, S)."""
        features = self.stem(batch)
        for stage in range(1, 5):
            features = self.get_submodule(f"stage{stage}")(features)
        logits: Tensor = self.head(torch.flatten(self.gap(features), 1))
        return logits


class GiMEFiVERes(nn.Module):
    """The paper's 25-layer variant: squeeze-excitation and five residual blocks of stride 2.

    Args:
        classes: Number of outputs K.
        head_dropout: Share dropped after the first linear layer.
    """

    explain_layer = "blocks.4.conv2"

    def __init__(self, classes: int = 6, *, head_dropout: float = 0.5) -> None:
        super().__init__()
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(3, 64, 3, padding=1))
        self.stem.add_module("bn", nn.BatchNorm2d(64))
        self.stem.add_module("relu", nn.ReLU())
        self.stem.add_module("se", SqueezeExcitation(64))
        widths = [64, 128, 256, 512, 1024, 2048]
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(width, following, stride=2, bias=True)
                for width, following in pairwise(widths)
            )
        )
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = fully_connected(2048, classes, 3, head_dropout)

    @property
    def layers(self) -> int:
        """Convolutions and batch norms of the blocks, the stem's convolution, SE, linear layers."""
        linear = sum(isinstance(part, nn.Linear) for part in self.head)
        return 4 * len(self.blocks) + 2 + linear

    def forward(self, batch: Tensor) -> Tensor:
        """Logits float32 (N, K) of float32 (N, 3, S, S)."""
        features = self.blocks(self.stem(batch))  # (N, 2048, S / 32, S / 32)
        logits: Tensor = self.head(torch.flatten(self.gap(features), 1))
        return logits
