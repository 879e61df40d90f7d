"""Small modules that several networks share."""

import torch
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """Dropout whose mask takes one random byte a value, a dozen times as fast on CPUs as torch's.

    The share is rounded to 256ths (0.2 to 0.199) and survivors are scaled by its exact value, so
    that the mean stays.  The mask follows from torch's global generator.

    Args:
        p: Share of the values dropped, 0 to 1.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Drop values of a tensor of any shape; the identity in eval mode."""
        cut = round(256 * self.p)
        dense = features.is_contiguous() or (
            features.ndim == 4 and features.is_contiguous(memory_format=torch.channels_last)
        )
        if not (self.training and features.device.type == "cpu" and dense and 0 < cut < 256):
            return super().forward(features)
        words = torch.empty((features.numel() + 7) // 8, dtype=torch.int64)
        chance = words.random_(-(2**63), None).view(torch.uint8)
        kept = chance.as_strided(features.shape, features.stride()) >= cut
        return features * kept.to(features.dtype).mul_(256 / (256 - cut))


class SqueezeExcitation(nn.Module):
    """Reweight channels by a gate computed from their means (Hu et al., 2018), without bias.

    Args:
        channels: Number of channels.
        reduction: Factor by which the gate's hidden layer is narrower.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Linear(channels, channels // reduction, bias=False)
        self.relu = nn.ReLU()
        self.up = nn.Linear(channels // reduction, channels, bias=False)
        self.gate = nn.Sigmoid()

    def forward(self, features: Tensor) -> Tensor:
        """Gate float32 (N, C, H, W); the shape stays."""
        mean = torch.flatten(self.squeeze(features), 1)  # (N, C)
        weight: Tensor = self.gate(self.up(self.relu(self.down(mean))))
        return features * weight[:, :, None, None]


def on_grey(convolution: nn.Conv2d, scale: Tensor, shift: Tensor) -> nn.Conv2d:
    """A convolution of planes that are all made of one, as one of that plane and a plane of ones.

    Args:
        convolution: Of C planes, each `scale * grey + shift`, padded with zeros.
        scale: float32 (C,).
        shift: float32 (C,).

    Returns:
        The same function of two planes, also at the edges, where the ones are padded, too.
    """
    weight = convolution.weight.detach()
    both = [(weight * factor.view(1, -1, 1, 1)).sum(dim=1) for factor in (scale, shift)]
    found = nn.Conv2d(
        2,
        convolution.out_channels,
        convolution.kernel_size,  # type: ignore[arg-type]  # its own, a tuple of ints
        convolution.stride,  # type: ignore[arg-type]
        convolution.padding,  # type: ignore[arg-type]
        bias=convolution.bias is not None,
    )
    found.weight.data = torch.stack(both, dim=1)
    if convolution.bias is not None and found.bias is not None:
        found.bias.data.copy_(convolution.bias)
    return found


def main_path_layers(network: nn.Module) -> int:
    """Convolutions outside of shortcuts plus one linear layer, the count that names a ResNet."""
    convolutions = [name for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    return sum("shortcut" not in name for name in convolutions) + 1


def fully_connected(features: int, classes: int, depth: int, dropout: float) -> nn.Sequential:
    """The paper's classifier head: c -> 2c -> c -> classes with dropout after the first ReLU.

    Args:
        features: Width c of the pooled features.
        classes: Number of outputs.
        depth: Number of linear layers, 1 to 3 (paper, Table 3).
        dropout: Share of hidden units dropped.

    Returns:
        Modules named fc1, relu1, dropout, fc2, relu2, fc3 as far as the depth needs them.
    """
    head = nn.Sequential()
    widths = [features, 2 * features, features][:depth]
    for number, (width, following) in enumerate(
        zip(widths, [*widths[1:], classes], strict=True), start=1
    ):
        head.add_module(f"fc{number}", nn.Linear(width, following))
        if number < depth:
            head.add_module(f"relu{number}", nn.ReLU())
            if number == 1:
                head.add_module("dropout", Dropout(dropout))
    return head
