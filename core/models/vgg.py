"""The VGG of the paper's Table 2: three pairs of convolutions, one shared batch norm a pair."""

import torch
from torch import Tensor, nn

from core.models.blocks import Dropout


class VGGPair(nn.Module):
    """Two 3x3 convolutions that share one batch norm; only so do the published parameters add up.

    Args:
        channels: Channels in.
        following: Channels out.
        dropout: Share dropped between the two.
    """

    def __init__(self, channels: int, following: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, following, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.dropout = Dropout(dropout)
        self.conv2 = nn.Conv2d(following, following, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.bn = nn.BatchNorm2d(following)
        self.pool = nn.MaxPool2d(2)

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 (N, C, H, W) to (N, C', H / 2, W / 2)."""
        features = self.dropout(self.relu1(self.bn(self.conv1(features))))
        pooled: Tensor = self.pool(self.relu2(self.bn(self.conv2(features))))
        return pooled


class VGG(nn.Module):
    """VGG after Simonyan and Zisserman (2015) with batch norm and dropout, for 64x64 input only.

    Args:
        classes: Number of outputs K.
        pair_dropout: Share dropped inside the pairs.
        head_dropout: Share dropped in the classifier.
    """

    explain_layer = "pair3.conv2"

    def __init__(
        self, classes: int = 6, *, pair_dropout: float = 0.2, head_dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.pair1 = VGGPair(3, 64, pair_dropout)
        self.pair2 = VGGPair(64, 128, pair_dropout)
        self.pair3 = VGGPair(128, 256, pair_dropout)
        self.head = nn.Sequential()
        self.head.add_module("fc1", nn.Linear(256 * 8 * 8, 4096))
        self.head.add_module("relu1", nn.ReLU())
        self.head.add_module("dropout1", Dropout(head_dropout))
        self.head.add_module("fc2", nn.Linear(4096, 1024))
        self.head.add_module("relu2", nn.ReLU())
        self.head.add_module("dropout2", Dropout(head_dropout))
        self.head.add_module("fc3", nn.Linear(1024, classes))

    @property
    def layers(self) -> int:
        """Convolutions, batch norms as often as applied, linear layers, and dropout once."""
        convolutions = sum(isinstance(part, nn.Conv2d) for part in self.modules())
        linear = sum(isinstance(part, nn.Linear) for part in self.head)
        return 2 * convolutions + linear + 1

    def forward(self, batch: Tensor) -> Tensor:
        """Logits float32 (N, K) of float32 (N, 3, 64, 64)."""
        features = self.pair3(self.pair2(self.pair1(batch)))  # (N, 256, 8, 8)
        logits: Tensor = self.head(torch.flatten(features, 1))
        return logits
