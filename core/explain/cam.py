"""Class activation maps: CAM, Grad-CAM, Grad-CAM++, HiResCAM, Layer-CAM."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.layers import check_feature_map, feature_maps, find_layer
from core.explain.occlusion import smoothed
from core.explain.saliency import noisy_copies
from core.explain.trace import ROWS, frozen_view, traced

NOISY_COPIES = 8
NOISE_SHARE = 0.08  # of the face's own range of values


@dataclass(frozen=True, slots=True, eq=False)
class LayerGradients:
    """A layer's feature maps and what each logit makes of them.

    Attributes:
        activations: float32 (N, C, h, w).
        gradients: float32 (T, N, C, h, w), dy / dA for the T targets of each row.
        logits: float32 (N, K).
    """

    activations: Tensor
    gradients: Tensor
    logits: Tensor


def layer_gradients(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> LayerGradients:
    """Differentiate logits by the output of any layer.

    The trunk up to the layer runs without a graph, so the cost is one forward pass and one backward
    pass through the head for all targets together.

    Args:
        model: In eval mode; neither its mode, hooks nor gradients change.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        targets: int64 (N, T), class indices a row.
        layer: Name of a module that gives (N, C, h, w) once a pass.

    Raises:
        ExplainError: Training mode, no such layer, or a layer without exactly one feature map.
    """
    view = frozen_view(model)
    found: list[Tensor] = []

    def cut(_: nn.Module, __: object, output: Tensor) -> Tensor:
        found.append(output.detach().requires_grad_())
        torch.set_grad_enabled(True)  # from here on; the caller's mode returns with the `with`
        return found[-1].clone()  # a leaf may not be changed in place by the next module

    find_layer(view, layer).register_forward_hook(cut)
    with torch.inference_mode(False):
        # A tensor born in inference mode may not take part in a graph; its clone may.
        inputs = batch.clone() if batch.is_inference() else batch
        with torch.no_grad():
            logits: Tensor = view(inputs)
        check_feature_map(found, layer)
        with torch.enable_grad():
            gradients = _gradients(logits, targets, found[0])
    return LayerGradients(found[0].detach(), gradients, logits.detach())


def _gradients(logits: Tensor, targets: Tensor, activations: Tensor) -> Tensor:
    """Derivative dy / dA for every column of `targets`, float32 (T, N, C, h, w).

    One column at a time is as fast as all at once (`is_grads_batched`), which makes torch import
    sympy, more than a second, before its first answer.
    """
    columns = targets.T.clone()  # born in inference mode, they could not take part in a graph
    scores = [logits.gather(1, column[:, None]).sum() for column in columns]  # rows do not mix
    last = len(scores) - 1
    return torch.stack(
        [
            torch.autograd.grad(score, activations, retain_graph=number < last)[0]
            for number, score in enumerate(scores)
        ]
    )


# float32 (N, T, h, w) from feature maps and gradients
Weighing = Callable[[LayerGradients], Tensor]


def signed_grad_cam_weighing(found: LayerGradients) -> Tensor:
    """Grad-CAM before its ReLU (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1), on logits."""
    weights = found.gradients.mean(dim=(3, 4))  # (T, N, C)
    return torch.einsum("tnc,nchw->nthw", weights, found.activations)


def grad_cam_weighing(found: LayerGradients) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1 and 2), on logits."""
    return torch.relu(signed_grad_cam_weighing(found))


def grad_cam_pp_weighing(found: LayerGradients) -> Tensor:
    """Grad-CAM++ (Chattopadhay et al. 2018, arXiv 1710.11063, Eq. 5, 10 and 19).

    The paper's score is exp(y_c); its derivatives are exp(y_c) times powers of g, and the factor,
    equal for all cells, is left out.
    """
    gradient, maps = found.gradients, found.activations  # (T, N, C, h, w), (N, C, h, w)
    square = gradient**2
    share = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * square * gradient
    alpha = torch.where(share != 0, square / torch.where(share != 0, share, 1), 0)
    weights = (alpha * torch.relu(gradient)).sum(dim=(3, 4))  # (T, N, C)
    return torch.relu(torch.einsum("tnc,nchw->nthw", weights, maps))


def hires_cam_weighing(found: LayerGradients) -> Tensor:
    """HiResCAM (Draelos and Carin 2020, arXiv 2011.08891, Eq. 3), signed: no final ReLU."""
    return torch.einsum("tnchw,nchw->nthw", found.gradients, found.activations)


def layer_cam_weighing(found: LayerGradients) -> Tensor:
    """Layer-CAM (Jiang et al. 2021, Eq. 5 and 6)."""
    positive = torch.relu(found.gradients)
    return torch.relu(torch.einsum("tnchw,nchw->nthw", positive, found.activations))


def smooth_layer_cam_weighing(found: LayerGradients) -> Tensor:
    """Layer-CAM, `smoothed` over its cells."""
    return smoothed(layer_cam_weighing(found))


WEIGHINGS: dict[str, Weighing] = {
    "grad_cam": grad_cam_weighing,
    "grad_cam_pp": grad_cam_pp_weighing,
    "hires_cam": hires_cam_weighing,
    "layer_cam": layer_cam_weighing,
    "smooth_layer_cam": smooth_layer_cam_weighing,
}


def grad_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, Eq. 1 and 2), on logits.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S), normalised by Preprocess.
        targets: int64 (N, T), class indices a row.
        layer: Any layer with a feature map.

    Returns:
        float32 (N, T, h, w), at least 0, not stretched; zero where nothing speaks for the class.

    Raises:
        ExplainError: See `layer_gradients`.
    """
    return grad_cam_weighing(layer_gradients(model, batch, targets, layer))


def grad_cam_pp(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM++, see `grad_cam_pp_weighing`."""
    return grad_cam_pp_weighing(layer_gradients(model, batch, targets, layer))


def hires_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """HiResCAM, see `hires_cam_weighing`."""
    return hires_cam_weighing(layer_gradients(model, batch, targets, layer))


def smooth_hires_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """HiResCAM averaged over noisy copies of the face, as SmoothGrad does with gradients."""
    count = max(1, ROWS // len(batch))  # copies a pass
    copies = list(noisy_copies(batch, NOISY_COPIES, NOISE_SHARE))
    total: Tensor | float = 0.0
    for start in range(0, NOISY_COPIES, count):
        some = copies[start : start + count]
        maps = hires_cam(model, torch.cat(some), targets.repeat(len(some), 1), layer)
        total = total + maps.reshape(len(some), len(batch), *maps.shape[1:]).sum(dim=0)
    return torch.as_tensor(total / NOISY_COPIES)


def layer_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Layer-CAM, see `layer_cam_weighing`."""
    return layer_cam_weighing(layer_gradients(model, batch, targets, layer))


def smooth_layer_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Layer-CAM, smoothed; see `smooth_layer_cam_weighing`."""
    return smooth_layer_cam_weighing(layer_gradients(model, batch, targets, layer))


def activation(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Mean absolute activation of a layer, the same for every class."""
    strength = feature_maps(model, batch, layer).abs().mean(dim=1)  # (N, h, w)
    return strength[:, None].expand(-1, targets.shape[1], -1, -1).clone()


def cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """CAM (Zhou et al. 2016, arXiv 1512.04150, Eq. 2), divided by the number of cells.

    So divided, the cells of a map sum to the class's logit minus its bias.

    Raises:
        ExplainError: The pooled features reach the logits through more than one linear layer.
    """
    weights = _class_weights(model, batch)
    maps = feature_maps(model, batch, layer)
    cells = maps.shape[2] * maps.shape[3]
    if weights is None:
        rows = torch.arange(len(maps), device=maps.device)[:, None]
        return maps[rows, targets] / cells
    return torch.einsum("ntc,nchw->nthw", weights[targets], maps) / cells


def _class_weights(model: nn.Module, batch: Tensor) -> Tensor | None:
    """Weights (K, C) from pooled features to logits; None where the features are the logits."""
    parts = [find_layer(model, name) for name in traced(model, batch).head]
    acting = [part for part in parts if not isinstance(part, nn.Dropout | nn.Flatten | nn.Identity)]
    if not acting:
        return None
    if len(acting) == 1 and isinstance(acting[0], nn.Linear):
        return acting[0].weight.detach()
    raise ExplainError(
        f"CAM needs global average pooling followed by one linear layer; {type(model).__name__} "
        f"has {', '.join(type(part).__name__ for part in acting)} behind it. "
        "Use Grad-CAM, which generalises CAM to such heads."
    )
