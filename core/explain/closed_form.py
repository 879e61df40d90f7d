"""Grad-CAM of every class from one forward pass, without autograd."""

from collections.abc import Iterator
from math import lcm
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import ExplainError
from core.models import FaceAndSlim

_BLOCKS = (["conv", "bn", "relu", "pool"], ["conv", "relu", "pool"])
_RESIDUAL = ["conv1", "bn1", "relu1", "conv2", "bn2", "shortcut", "relu2"]


class ClosedGradCam(nn.Module):
    """Logits and the Grad-CAM maps of all classes at the last convolution, exactly.

    Behind the last convolution A the network is batch norm, ReLU, pooling, global average and a
    few linear layers, whose derivative can be written down (eval mode):

        alpha_ck = v_ck s_k n_k / (m h w),   map_c = ReLU(sum_k alpha_ck A_k)

    with v_c = W1' diag(h1 > 0) W2' diag(h2 > 0) W3[c] the linear layers' part, s_k = gamma_k /
    sqrt(var_k + eps) the batch norm's slope, n_k the number of positive cells after max pooling, m
    the number of pooled cells and h w that of A.  In a residual block the shortcut is added before
    the ReLU and nothing is pooled: n_k counts the positive cells of the sum, and m = h w.  This is
    Grad-CAM (Selvaraju et al. 2017) with its gradient worked out by hand.  It holds no state, so
    threads may share it; it works in inference_mode and exports to ONNX.

    Args:
        model: A network in eval mode that ends in a GiMEFiVE block or a residual one, a global
            average and linear layers; its weights are shared, not copied.
        apart: Whether the maps' convolution is computed once more, after all else, so that what
            leads to the logits is the same graph as without maps, and becomes the same in 8 bits.

    Raises:
        ExplainError: The network has another form.
    """

    def __init__(self, model: nn.Module, *, apart: bool = False) -> None:
        super().__init__()
        if not has_closed_form(model):
            raise ExplainError(
                f"{type(model).__name__} has no closed form of Grad-CAM (it needs convolution or "
                "residual blocks without squeeze-excitation in the last one, global average "
                "pooling and linear layers). Use the general Grad-CAM."
            )
        *first, self.last = _stages(model)
        self.trunk = nn.Sequential(*first)
        self.training = self.trunk.training = model.training  # both are new modules
        self.gap = cast(nn.Module, model.gap)
        self.head = cast(nn.Module, model.head)
        self.layer = str(model.explain_layer)
        residual = hasattr(self.last, "conv2")
        self.convolution = self.last.get_submodule("conv2" if residual else "conv")
        norm = getattr(self.last, "bn2" if residual else "bn", None)
        # As one layer, the way it is exported where nobody asks for what lies between.
        self.folded = (
            fuse_conv_bn_eval(cast(nn.Conv2d, self.convolution), cast(nn.BatchNorm2d, norm))
            if apart and norm is not None
            else None
        )

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and maps.

        Args:
            batch: float32 (N, 3, S, S), normalised by Preprocess.

        Returns:
            Logits float32 (N, K) and maps float32 (N, K, h, w), at least 0 and not stretched.

        Raises:
            ExplainError: The network is in training mode.
        """
        if self.last.training:
            raise ExplainError("The network is in training mode. Call model.eval() first.")
        end = _residual_end if hasattr(self.last, "conv2") else _block_end
        seen, cells, features, passing = end(self.last, self.trunk(batch), self.folded)
        logits, slopes = _head(self.head, torch.flatten(self.gap(features), 1))
        cells = self.convolution(seen) if cells is None else cells
        height, width = cells.shape[2:]
        spread = features.shape[2] * features.shape[3] * height * width
        alpha = slopes * (passing / spread)[:, None]  # (N, K, C)
        maps = torch.relu(alpha @ torch.flatten(cells, 2))  # (N, K, h w)
        return logits, maps.reshape(-1, maps.shape[1], height, width)


class JoinedGradCam(nn.Module):
    """Logits and the Grad-CAM maps of all classes where two networks meet, exactly.

    Behind `last` there are the global average and one linear layer, W, so that alpha_ck = W[c, k] /
    (h w) and the map is ReLU(sum_k alpha_ck A_k), which is CAM (Zhou et al. 2016) but for its
    factor.  The sum is taken over each network's own cells, which are then repeated.

    Args:
        model: In eval mode; its weights are shared, not copied.
    """

    def __init__(self, model: FaceAndSlim) -> None:
        super().__init__()
        self.network = model
        self.layer = model.explain_layer
        self.training = model.training

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """As `ClosedGradCam.forward`."""
        network = self.network
        if network.training:
            raise ExplainError("The network is in training mode. Call model.eval() first.")
        ends = network.ends(batch)
        side = lcm(*(int(end.shape[-1]) for end in ends))
        total: Tensor | float = 0.0
        weights = torch.split(network.head.weight, [end.shape[1] for end in ends], dim=1)
        for end, own in zip(ends, weights, strict=True):
            height, width = end.shape[2:]
            part = (own @ torch.flatten(end, 2)).reshape(-1, own.shape[0], height, width)
            total = total + functional.interpolate(part, scale_factor=float(side // width))
        return network.read(*ends), torch.relu(torch.as_tensor(total) / side**2)


def closed_grad_cam(model: nn.Module, *, apart: bool = False) -> "ClosedGradCam | JoinedGradCam":
    """The network that gives its logits and the Grad-CAM maps of all classes in one pass.

    Args:
        model: In eval mode.
        apart: See `ClosedGradCam`; where two networks meet, the way to the logits stays as it is.

    Raises:
        ExplainError: There is no closed form for it.
    """
    return (
        JoinedGradCam(model)
        if isinstance(model, FaceAndSlim)
        else ClosedGradCam(model, apart=apart)
    )


def has_closed_form(model: nn.Module) -> bool:
    """Whether `closed_grad_cam` covers this network."""
    if isinstance(model, FaceAndSlim):
        return True
    head = getattr(model, "head", None)
    stages = _stages(model)
    if not stages or not isinstance(getattr(model, "gap", None), nn.AdaptiveAvgPool2d):
        return False
    parts = list(head) if isinstance(head, nn.Sequential) else [head]
    names = [name for name, _ in stages[-1].named_children()]
    linear = all(isinstance(part, nn.Linear | nn.ReLU | nn.Dropout) for part in parts)
    return linear and (names in _BLOCKS or names == _RESIDUAL)


def _stages(model: nn.Module) -> list[nn.Module]:
    """What the batch passes one after the other before the global average."""
    children = dict(model.named_children())
    names = list(children)
    before = names[: names.index("gap")] if "gap" in names else []
    return [stage for name in before for stage in _flat(children[name])]


def _flat(part: nn.Module) -> Iterator[nn.Module]:
    """The parts of nested sequences; a block that is one itself stays whole."""
    names = [name for name, _ in part.named_children()]
    if isinstance(part, nn.Sequential) and names not in _BLOCKS:
        for inner in part:
            yield from _flat(inner)
    else:
        yield part


def _block_end(
    block: nn.Module, features: Tensor, folded: nn.Module | None
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
    """What the last convolution sees, its cells, the block's output, and what passes between.

    Args:
        block: The last one.
        features: Its input.
        folded: Its convolution and batch norm as one layer, or None. With it there are no cells.

    Returns:
        float32 (N, B, h, w), (N, C, h, w), (N, C, h / 2, w / 2), and (N, C): the derivative of a
        channel's sum over the output by its cells, summed over the cells.
    """
    cells = block.get_submodule("conv")(features) if folded is None else None
    if cells is None:
        normed = cast(nn.Module, folded)(features)
    else:
        normed = block.get_submodule("bn")(cells) if hasattr(block, "bn") else cells
    rectified = block.get_submodule("relu")(normed)
    pool = block.get_submodule("pool")
    pooled = pool(rectified)
    slope = _slope(block.get_submodule("bn")) if hasattr(block, "bn") else features.new_ones(1)
    if isinstance(pool, nn.MaxPool2d):
        # A positive maximum hands its gradient to exactly one cell.
        return features, cells, pooled, _positive(pooled) * slope
    step = int(cast(int, pool.kernel_size))
    rows, columns = step * pooled.shape[2], step * pooled.shape[3]  # a rest is not pooled
    passing = _positive(rectified[:, :, :rows, :columns]) * slope / step**2
    return features, cells, pooled, passing


def _residual_end(
    block: nn.Module, features: Tensor, folded: nn.Module | None
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
    """As `_block_end`, of a residual block, whose output has the cells' size."""
    first = block.get_submodule("bn1")(block.get_submodule("conv1")(features))
    source = block.get_submodule("relu1")(first)
    cells = block.get_submodule("conv2")(source) if folded is None else None
    normed = block.get_submodule("bn2")(cells) if cells is not None else folded(source)  # type: ignore[misc]
    total = block.get_submodule("relu2")(normed + block.get_submodule("shortcut")(features))
    return source, cells, total, _positive(total) * _slope(block.get_submodule("bn2"))


def _slope(norm: nn.Module) -> Tensor:
    """What a batch norm multiplies a channel by, float32 (C,)."""
    batch_norm = cast(nn.BatchNorm2d, norm)
    variance = cast(Tensor, batch_norm.running_var)
    return batch_norm.weight / torch.sqrt(variance + batch_norm.eps)


def _positive(values: Tensor) -> Tensor:
    """Number of positive cells of each channel, float32 (N, C)."""
    return (values > 0).to(values.dtype).sum(dim=(2, 3))


def _head(head: nn.Module, features: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and their derivative by the features (N, K, C)."""
    masks: list[Tensor] = []
    linear = [part for part in head.modules() if isinstance(part, nn.Linear)]
    values = features
    for part in linear[:-1]:
        before = part(values)
        values = torch.relu(before)
        masks.append((before > 0).to(before.dtype))
    logits = linear[-1](values)
    slopes = linear[-1].weight.expand(features.shape[0], -1, -1)  # (N, K, hidden)
    for part, mask in zip(reversed(linear[:-1]), reversed(masks), strict=True):
        slopes = (slopes * mask[:, None]) @ part.weight
    return logits, slopes
