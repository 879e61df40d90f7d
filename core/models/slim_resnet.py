"""A small residual network for 64x64 faces: a third of GiMEFiVE's work a face."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.blocks import Dropout, main_path_layers
from core.models.residual import ResidualBlock


class SlimResNet(nn.Module):
    """Basic residual blocks (He et al., 2016) behind a narrow stem, and one linear layer.

    The stem halves the side at once, so no layer works on the full picture with many channels;
    every stage halves it again.  Several columns are several such networks side by side, as grouped
    convolutions, whose mean logits are the answer: an ensemble that is one network to train, to
    export and to explain.

    Args:
        classes: Number of outputs K.
        blocks: Residual blocks in each stage.
        width: Channels of a column's first stage; every further stage doubles them.
        columns: Networks side by side.
        head_dropout: Share of the pooled features dropped before the linear layer.
    """

    explain_layer: str

    def __init__(
        self,
        classes: int = 6,
        *,
        blocks: Sequence[int] = (2, 2, 2),
        width: int = 64,
        columns: int = 1,
        head_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if columns < 1:
            raise ConfigError(f"columns is {columns}; expected 1 or more.")
        self.columns = columns
        channels = columns * (width // 2)
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(channels))
        self.stem.add_module("relu", nn.ReLU())
        self.stages = nn.Sequential()
        for stage, count in enumerate(blocks, start=1):
            following = columns * width * 2 ** (stage - 1)
            parts = nn.Sequential()
            for number in range(count):
                stride = 2 if number == 0 else 1
                block = ResidualBlock(channels, following, stride, bias=False, groups=columns)
                parts.append(block)
                channels = following
            self.stages.add_module(f"stage{stage}", parts)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = Dropout(head_dropout)
        self.head = nn.Linear(channels, classes)
        self.explain_layer = f"stages.stage{len(blocks)}.{blocks[-1] - 1}.conv2"

    @property
    def layers(self) -> int:
        """Convolutions on the main path plus the linear layer, the count that names a ResNet."""
        return main_path_layers(self)

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

    def join(self, states: Sequence[Mapping[str, Tensor]]) -> None:
        """Take over the weights of several networks of one column, one a column.

        Args:
            states: `state_dict` of each; its order is the columns' order.

        Raises:
            ConfigError: Their number is not that of the columns.
        """
        if len(states) != self.columns:
            raise ConfigError(
                f"There are weights of {len(states)} networks for {self.columns} columns. Name as "
                "many as there are columns."
            )
        joined = {}
        for name in states[0]:
            values = [state[name] for state in states]
            if name == "head.weight":  # the mean of the columns' logits
                joined[name] = torch.cat(values, dim=1) / self.columns
            elif name == "head.bias" or values[0].ndim == 0:
                joined[name] = torch.stack(values).double().mean(dim=0).to(values[0].dtype)
            else:
                joined[name] = torch.cat(values)
        self.load_state_dict(joined)
