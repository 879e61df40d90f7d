"""A small residual network, alone and side by side with one that knows faces."""

from collections.abc import Mapping, Sequence
from math import lcm

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from core.errors import ConfigError
from core.models.blocks import Dropout, main_path_layers, on_grey
from core.models.face_resnet import FACE_MEAN, FACE_STD, WIDTHS, FaceResNet
from core.models.residual import ResidualBlock
from core.preprocess import Preprocess

FACE_SHARE = 0.4  # of the six expressions' logits in `FaceAndSlim`; chosen on clean validation


class SlimResNet(nn.Module):
    """Basic residual blocks (He et al., 2016) behind a narrow stem, and one linear layer.

    For 64x64 faces, with a third of GiMEFiVE's work a face.

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


class FaceAndSlim(nn.Module):
    """`FaceResNet` and `SlimResNet` look at the same face; one linear layer reads both.

    Each works at the size and with the normalisation it was trained with.  Their maps meet twice in
    one layer each, `fine` behind the first stages and `last` behind the last ones: cells are
    repeated until both have as many, and their means go on, which is what there was before.  So one
    layer shows what both look at, and every explanation applies.

    Args:
        classes: Number of outputs K.
        columns: Of the slim network.
        width: Of the slim network.
        head_dropout: Share of the pooled features dropped before the linear layer.
    """

    explain_layer = "last"

    def __init__(
        self, classes: int = 6, *, columns: int = 2, width: int = 64, head_dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.face = FaceResNet(classes)
        self.smaller = Smaller()
        self.slim = SlimResNet(classes, columns=columns, width=width)
        for part in (self.face, self.slim):
            del part.gap, part.dropout, part.head
        self.fine, self.last = nn.ReLU(), nn.ReLU()
        # Channels, and cells a side of `fine` that stand for one, of each part that meets there.
        self.fine_parts = ((WIDTHS[0], 2), (columns * width, 3))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = Dropout(head_dropout)
        self.head = nn.Linear(WIDTHS[-1] + 4 * columns * width, classes)

    @property
    def layers(self) -> int:
        """Convolutions on the longer main path plus the linear layer."""
        return main_path_layers(self.face)

    def forward(self, batch: Tensor) -> Tensor:
        """Logits.

        Args:
            batch: float32 (N, 3, S, S), normalised as for `FaceResNet`; S at least 32.

        Returns:
            float32 (N, K).
        """
        return self._answer(*self._through(self.fine, *self._firsts(batch)))

    def apart(self, batch: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits, and what meets in `fine` before its cells are repeated; nobody can look there.

        Args:
            batch: As for `forward`.

        Returns:
            float32 (N, K), and the maps of the two networks, (N, C, h, w) and (N, C', h', w').
        """
        parts = self._firsts(batch)
        return self._answer(*parts), parts

    def ends(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """What meets in `last` before its cells are repeated; nobody can look there.

        Args:
            batch: As for `forward`.

        Returns:
            The last maps of the two networks, (N, C, h, w) and (N, C', h', w').
        """
        return self._further(*self._firsts(batch))

    def _further(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """What the stages behind the first make of theirs."""
        return self.face.stages[1:](one), self.slim.stages[1:](other)

    def _firsts(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """What the first stages of both make of faces."""
        face, slim = self.face, self.slim
        return (
            face.stages.get_submodule("stage1")(face.stem(batch)),
            slim.stages.get_submodule("stage1")(slim.stem(self.smaller(batch))),
        )

    def _answer(self, one: Tensor, other: Tensor) -> Tensor:
        """Logits from what the first stages gave."""
        ends = self._further(one, other)
        return self.read(*((self.last(_met(*ends)),) if _is_seen(self.last) else ends))

    def read(self, *ends: Tensor) -> Tensor:
        """Logits from what `ends` gives, or from the one layer in which they meet.

        Args:
            ends: Each (N, C, h, w), together as many channels as the linear layer reads.

        Returns:
            float32 (N, K).
        """
        pooled = torch.cat([self.gap(end) for end in ends], dim=1)
        logits: Tensor = self.head(self.dropout(torch.flatten(pooled, 1)))
        return logits

    def _through(self, layer: nn.Module, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """Both maps through the layer where they meet, and apart again."""
        if not _is_seen(layer):
            return one, other  # the way through changes nothing, and takes time
        both = layer(_met(one, other))
        channels, side = one.shape[1], int(both.shape[-1])
        return (
            F.avg_pool2d(both[:, :channels], side // int(one.shape[-1])),
            F.avg_pool2d(both[:, channels:], side // int(other.shape[-1])),
        )

    def take_grey(self, scale: Tensor, shift: Tensor) -> None:
        """Take a grey plane and one of ones from now on, instead of three normalised planes.

        Two thirds of the work in the layers that see pixels are left.

        Args:
            scale: float32 (3,); each plane was `scale * grey + shift`.
            shift: float32 (3,).
        """
        own = self.smaller
        self.face.stem.conv = on_grey(self.face.stem.conv, scale, shift)  # type: ignore[arg-type]
        own_scale, own_shift = own.scale.flatten(), own.shift.flatten()
        self.slim.stem.conv = on_grey(
            self.slim.stem.conv,  # type: ignore[arg-type]
            scale * own_scale,
            shift * own_scale + own_shift,
        )
        own.scale, own.shift = torch.ones(1), torch.zeros(1)

    def join(self, face: nn.Module, slim: nn.Module) -> None:
        """Take over a trained network of each kind; logits become a mean.

        Where the slim network does not know the last classes, its answer only moves the others
        against each other: their mean, and the last classes' logits, are the face network's.

        Args:
            face: A `FaceResNet` of as many classes as this network.
            slim: A `SlimResNet` of the first of them.

        Raises:
            ConfigError: They are not of these kinds.
        """
        if not (isinstance(face, FaceResNet) and isinstance(slim, SlimResNet)):
            raise ConfigError(
                f"A {type(face).__name__} and a {type(slim).__name__} were named. Name a "
                "face_resnet first, then a resnet14."
            )
        parts: tuple[tuple[nn.Module, nn.Module], ...] = ((self.face, face), (self.slim, slim))
        for own, given in parts:
            state = {k: v for k, v in given.state_dict().items() if not k.startswith("head.")}
            own.load_state_dict(state)
        with torch.no_grad():
            weights = _mean_head(face.head.weight, slim.head.weight)
            self.head.weight.copy_(torch.cat(weights, dim=1))
            of_face, of_slim = _mean_head(face.head.bias, slim.head.bias)
            self.head.bias.copy_(of_face + of_slim)


def _mean_head(face: Tensor, slim: Tensor) -> tuple[Tensor, Tensor]:
    """The part of each in the joint linear layer; rows are classes, of which `slim` may lack some.

    Returns:
        Both with all rows, whose answers are to be added.
    """
    known = len(slim)
    of_face, of_slim = face.clone(), slim.new_zeros(len(face), *slim.shape[1:])
    of_face[:known] *= FACE_SHARE
    of_slim[:known] = (1 - FACE_SHARE) * slim
    if known < len(face):
        of_face[:known] += (1 - FACE_SHARE) * face[:known].mean(dim=0)
        of_slim[:known] -= (1 - FACE_SHARE) * slim.mean(dim=0)
    return of_face, of_slim


class Smaller(nn.Module):
    """Faces as the slim columns want them: two thirds of the side, and their normalisation.

    Resized by bicubic sampling, as two matrices, which every exporter knows. Bilinear sampling
    blurs faces that were enlarged before (0.5 points of clean validation), and the exact inverse of
    enlarging sharpens all others.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        usual = Preprocess()
        # Plain numbers: torch loads its compiler to calculate on the "meta" device.
        triples = list(zip(FACE_MEAN, FACE_STD, usual.mean, usual.std, strict=True))
        scale = [[[std / own_std]] for _, std, _, own_std in triples]
        shift = [[[(mean - own_mean) / own_std]] for mean, _, own_mean, own_std in triples]
        self.register_buffer("scale", torch.tensor(scale), persistent=False)
        self.register_buffer("shift", torch.tensor(shift), persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """Map float32 (N, 3, S, S) to (N, 3, 2 S / 3, 2 S / 3)."""
        height, width = (int(side) for side in batch.shape[-2:])
        down, across = (_cubic(side, 2 * side // 3).to(batch) for side in (height, width))
        small = down @ batch @ across.T
        return small if len(self.scale) == 1 else small * self.scale + self.shift


def _cubic(cells: int, wanted: int) -> Tensor:
    """Weights of the cells for each wanted one, float32 (wanted, cells)."""
    sampled = F.interpolate(torch.eye(cells)[None, None], size=(wanted, cells), mode="bicubic")
    return sampled[0, 0]


def _is_seen(layer: nn.Module) -> bool:
    """Whether somebody may look at a layer, change what it gives, or ask for gradients there.

    A network that trains is not explained: there the way through would take half of a step.
    """
    asked = torch.is_grad_enabled() and not layer.training
    hooks = (
        layer._forward_hooks, layer._forward_pre_hooks,
        layer._backward_hooks, layer._backward_pre_hooks,
    )  # fmt: skip
    return asked or any(hooks)


def _met(one: Tensor, other: Tensor) -> Tensor:
    """Two maps at the fewest cells a side that hold those of each in whole, (N, C + C', h, w)."""
    side = lcm(int(one.shape[-1]), int(other.shape[-1]))
    wide = [
        F.interpolate(part, scale_factor=float(side // int(part.shape[-1])), mode="nearest")
        for part in (one, other)
    ]
    return torch.cat(wide, dim=1)
