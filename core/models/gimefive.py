"""The GiMEFiVE family: plain convolution blocks, global average pooling, three linear layers."""

from typing import Literal

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.blocks import Dropout, SqueezeExcitation, fully_connected

Pooling = Literal["max", "average"]
FIRST_WIDTH = 64  # channels of the first block; every further block doubles them


class GiMEFiVE(nn.Module):
    """GiMEFiVE (arXiv 2402.15662, section 3.2 and Figure 3).

    Args:
        classes: Number of outputs K.
        depth: Number of convolution blocks, 1 to 6; the paper tries 4, 5 and 6.
        batch_norm: Whether a batch norm follows each convolution.
        squeeze_excitation: Whether the first block reweights its channels.
        block_dropout: Share dropped after the pooling of every block but the last.
        head_dropout: Share dropped after the first linear layer.
        fc_depth: Number of linear layers, 1 to 3.
        pooling: How each block halves the side.
        width: Channels of the first block.

    Raises:
        ConfigError: A value outside its range.
    """

    explain_layer: str

    def __init__(
        self,
        classes: int = 6,
        *,
        depth: int = 5,
        batch_norm: bool = True,
        squeeze_excitation: bool = False,
        block_dropout: float = 0.0,
        head_dropout: float = 0.5,
        fc_depth: int = 3,
        pooling: Pooling = "max",
        width: int = FIRST_WIDTH,
    ) -> None:
        super().__init__()
        if not (1 <= depth <= 6 and 1 <= fc_depth <= 3 and pooling in ("max", "average")):
            raise ConfigError(
                f"GiMEFiVE got depth {depth}, fc_depth {fc_depth}, pooling {pooling!r}; "
                "expected depth 1 to 6, fc_depth 1 to 3, pooling max or average."
            )
        self.blocks = nn.Sequential()
        channels = 3
        for number in range(1, depth + 1):
            following = width * 2 ** (number - 1)
            block = nn.Sequential()
            block.add_module("conv", nn.Conv2d(channels, following, kernel_size=3, padding=1))
            if batch_norm:
                block.add_module("bn", nn.BatchNorm2d(following))
            block.add_module("relu", nn.ReLU())
            if squeeze_excitation and number == 1:
                block.add_module("se", SqueezeExcitation(following))
            block.add_module("pool", nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2))
            if block_dropout > 0 and number < depth:
                block.add_module("dropout", Dropout(block_dropout))
            self.blocks.add_module(f"block{number}", block)
            channels = following
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.head = fully_connected(channels, classes, fc_depth, head_dropout)
        self.explain_layer = f"blocks.block{depth}.conv"

    @property
    def layers(self) -> int:
        """Layers as the paper's Table 2 counts them.

        Convolutions, batch norms, linear layers and the squeeze-excitation block, plus the global
        pooling and the head's dropout; dropout inside the blocks is not counted.
        """
        parts = [part for block in self.blocks for part in block.children()]
        counted = (nn.Conv2d, nn.BatchNorm2d, SqueezeExcitation)
        linear = sum(isinstance(part, nn.Linear) for part in self.head)
        return sum(isinstance(part, counted) for part in parts) + linear + 2

    def forward(self, batch: Tensor) -> Tensor:
        """Logits.

        Args:
            batch: float32 (N, 3, S, S), normalised by Preprocess; S at least 2 ** depth.

        Returns:
            float32 (N, K).
        """
        features = self.blocks(batch)  # (N, C, S / 2**depth, S / 2**depth)
        logits: Tensor = self.head(torch.flatten(self.gap(features), 1))
        return logits
