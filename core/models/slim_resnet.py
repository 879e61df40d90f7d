"""A small residual network for 64x64 faces: a third of GiMEFiVE's work a face."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.models.residual import ResidualBlock


class SlimResNet(nn.Module):
    """Basic residual blocks (He et al., 2016) behind a narrow stem, and one linear layer.

    The stem halves the side at once, so no layer works on the full picture with many channels;
    every stage halves it again.

    Args:
        classes: Number of outputs K.
        blocks: Residual blocks in each stage.
        width: Channels of the first stage; every further stage doubles them.
        head_dropout: Share of the pooled features dropped before the linear layer.
    """

    explain_layer: str

    def __init__(
        self,
        classes: int = 6,
        *,
        blocks: Sequence[int] = (2, 2, 2),
        width: int = 64,
        head_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        channels = width // 2
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(channels))
        self.stem.add_module("relu", nn.ReLU())
        self.stages = nn.Sequential()
        for stage, count in enumerate(blocks, start=1):
            following = width * 2 ** (stage - 1)
            parts = nn.Sequential()
            for number in range(count):
                stride = 2 if number == 0 else 1
                parts.append(ResidualBlock(channels, following, stride, bias=False))
                channels = following
            self.stages.add_module(f"stage{stage}", parts)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(head_dropout)
        self.head = nn.Linear(channels, classes)
        self.explain_layer = f"stages.stage{len(blocks)}.{blocks[-1] - 1}.conv2"

    @property
    def layers(self) -> int:
        """Convolutions on the main path plus the linear layer, the count that names a ResNet."""
        convolutions = [name for name, part in self.named_modules() if isinstance(part, nn.Conv2d)]
        return sum("shortcut" not in name for name in convolutions) + 1

    def forward(self, batch: Tensor) -> Tensor:
        """Logits.

        Args:
            batch: float32 (N, 3, S, S), normalised by Preprocess; S at least 16.

        Returns:
            float32 (N, K).
        """
        features = self.stages(self.stem(batch))  # (N, C, S / 16, S / 16)
        logits: Tensor = self.head(self.dropout(torch.flatten(self.gap(features), 1)))
        return logits
