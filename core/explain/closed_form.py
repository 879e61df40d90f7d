"""Grad-CAM of every class from one forward pass, without autograd, for the GiMEFiVE family."""

from typing import cast

import torch
from torch import Tensor, nn

from core.errors import ExplainError


class ClosedGradCam(nn.Module):
    """Logits and the Grad-CAM maps of all classes at the last convolution, exactly.

    Behind the last convolution A the network is batch norm, ReLU, pooling, global average and a
    few linear layers, whose derivative can be written down (eval mode):

        alpha_ck = v_ck s_k n_k / (m h w),   map_c = ReLU(sum_k alpha_ck A_k)

    with v_c = W1' diag(h1 > 0) W2' diag(h2 > 0) W3[c] the linear layers' part, s_k = gamma_k /
    sqrt(var_k + eps) the batch norm's slope, n_k the number of positive cells after max pooling, m
    the number of pooled cells and h w that of A.  This is Grad-CAM (Selvaraju et al. 2017) with its
    gradient worked out by hand.  It holds no state, so threads may share it; it works in
    inference_mode and exports to ONNX.

    Args:
        model: A GiMEFiVE network in eval mode; its weights are shared, not copied.

    Raises:
        ExplainError: The network has another form.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not has_closed_form(model):
            raise ExplainError(
                f"{type(model).__name__} has no closed form of Grad-CAM (it needs convolution "
                "blocks without squeeze-excitation in the last one, global average pooling and "
                "linear layers). Use the general Grad-CAM."
            )
        blocks = cast(nn.Sequential, model.blocks)
        self.trunk = blocks[:-1]
        self.training = self.trunk.training = model.training  # both are new modules
        self.last = cast(nn.Sequential, blocks[-1])
        self.gap = cast(nn.Module, model.gap)
        self.head = cast(nn.Sequential, model.head)

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
        cells = self.last.get_submodule("conv")(self.trunk(batch))  # (N, C, h, w)
        normed = self.last.get_submodule("bn")(cells) if hasattr(self.last, "bn") else cells
        rectified = self.last.get_submodule("relu")(normed)
        pooled = self.last.get_submodule("pool")(rectified)  # (N, C, h / 2, w / 2)
        logits, slopes = _head(self.head, torch.flatten(self.gap(pooled), 1))
        active = self._active_cells(rectified, pooled)  # (N, C)
        height, width = cells.shape[2:]
        spread = pooled.shape[2] * pooled.shape[3] * height * width
        alpha = slopes * (active * self._norm_slope(cells) / spread)[:, None]  # (N, K, C)
        maps = torch.relu(alpha @ torch.flatten(cells, 2))  # (N, K, h w)
        return logits, maps.reshape(-1, maps.shape[1], height, width)

    def _norm_slope(self, cells: Tensor) -> Tensor:
        """What the batch norm multiplies a channel by, float32 (C,)."""
        if not hasattr(self.last, "bn"):
            return cells.new_ones(cells.shape[1])
        norm = cast(nn.BatchNorm2d, self.last.get_submodule("bn"))
        return norm.weight / torch.sqrt(cast(Tensor, norm.running_var) + norm.eps)

    def _active_cells(self, rectified: Tensor, pooled: Tensor) -> Tensor:
        """Cells that pass a gradient, counted in pooled cells, float32 (N, C)."""
        pool = self.last.get_submodule("pool")
        if isinstance(pool, nn.MaxPool2d):
            # A positive maximum hands its gradient to exactly one cell.
            return (pooled > 0).to(pooled.dtype).sum(dim=(2, 3))
        step = int(cast(int, pool.kernel_size))
        rows, columns = step * pooled.shape[2], step * pooled.shape[3]  # a rest is not pooled
        passing = (rectified[:, :, :rows, :columns] > 0).to(pooled.dtype)
        return passing.sum(dim=(2, 3)) / step**2


def has_closed_form(model: nn.Module) -> bool:
    """Whether `ClosedGradCam` covers this network."""
    parts = [getattr(model, name, None) for name in ("blocks", "gap", "head")]
    blocks, gap, head = parts
    if not (
        isinstance(blocks, nn.Sequential)
        and isinstance(gap, nn.AdaptiveAvgPool2d)
        and isinstance(head, nn.Sequential)
        and len(blocks) > 0
        and isinstance(blocks[-1], nn.Sequential)
    ):
        return False
    names = [name for name, _ in blocks[-1].named_children()]
    linear = all(isinstance(part, nn.Linear | nn.ReLU | nn.Dropout) for part in head)
    return linear and names in (["conv", "bn", "relu", "pool"], ["conv", "relu", "pool"])


def _head(head: nn.Sequential, features: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and their derivative by the features (N, K, C)."""
    masks: list[Tensor] = []
    linear = [part for part in head if isinstance(part, nn.Linear)]
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
