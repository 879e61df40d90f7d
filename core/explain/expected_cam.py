"""Expected CAM: what a face has more than others, weighed by what moves a class on average."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from core.checkpoints import REFERENCE, WEIGHTS
from core.errors import ExplainError
from core.explain.cam import layer_gradients
from core.explain.closed_form import closed_grad_cam, has_closed_form
from core.explain.layers import (
    Reference,
    carried_reference,
    default_layer,
    feature_maps,
    find_layer,
    give_reference,
    reference_of,
)
from core.explain.occlusion import smoothed
from core.explain.trace import frozen_view, traced
from core.files import fingerprint, replacing
from core.models import Card, FaceAndSlim, load_model
from core.preprocess import Preprocess
from core.types import Image

CHUNK = 32  # faces a pass
SILENT = 1e-6  # mean activation up to which a cell says nothing
REFERENCE_FACES = 128  # half as many cost .01 of insertion minus deletion, twice as many give none
SEED = 20240229  # which faces


def measure_reference(model: nn.Module, faces: Tensor, layer: str | None = None) -> Reference:
    """Average a layer and its gradients over faces.

    The weight of a class is E[g A] / E[A], the mean gradient in which a face counts by how strongly
    its cell answers: where a feature is missing, units behind it are silent and the gradient says
    nothing of it.  Gradients that all classes share move no probability (softmax), so their mean is
    taken away.  Both means are taken over two by two cells as well, a quarter of the file for about
    .01 of insertion minus deletion.

    Args:
        model: In eval mode.
        faces: float32 (N, C, S, S), framed as the faces that will be explained; a hundred are
            enough.
        layer: A ReLU or pooling behind one; None for the last ReLU with 16 cells a side.

    Raises:
        ExplainError: No face, no such layer, or a model in training mode.
    """
    if not len(faces):
        raise ExplainError("There is no reference face. Expected at least one.")
    layer = layer or default_layer(model, faces[:1], "fine")
    classes = traced(model, faces[:1]).classes
    evidence: Tensor | float = 0.0  # sum of g A, (K, C, h, w)
    activity: Tensor | float = 0.0  # sum of A, (C, h, w)
    for part in torch.split(faces, CHUNK):
        targets = torch.arange(classes).expand(len(part), -1)
        found = layer_gradients(model, part, targets, layer)
        own = found.gradients - found.gradients.mean(dim=0)
        evidence = evidence + torch.einsum("tnchw,nchw->tchw", own, found.activations)
        activity = activity + found.activations.sum(dim=0)
    average = torch.as_tensor(activity) / len(faces)
    narrow = [
        functional.avg_pool2d(torch.as_tensor(one), 2, ceil_mode=True)
        for one in (evidence / len(faces), average)
    ]
    weights = torch.where(narrow[1] > SILENT, narrow[0] / narrow[1].clamp(min=SILENT), 0.0)
    offset = (_wide(weights, average) * average).sum(dim=1)
    return Reference(layer, weights, offset, len(faces))


def _wide(weights: Tensor, activations: Tensor) -> Tensor:
    """Weights (K, C, h, w) of all cells of the activations (..., h, w)."""
    size = [int(side) for side in activations.shape[-2:]]
    return functional.interpolate(weights, size=size, mode="bilinear", align_corners=False)


def expected_cam(model: nn.Module, batch: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Expected CAM: Linear SHAP (Lundberg and Lee 2017, arXiv 1705.07874, Corollary 1) of a layer.

    The logit, less the mean logit, is taken as linear in the layer, with the reference's weights
    w; a cell's share is then w (A - E[A]), summed over the channels, and `smoothed`.

    Args:
        model: In eval mode, with a reference.
        batch: float32 (N, C, S, S).
        targets: int64 (N, T).
        layer: Of the reference.

    Returns:
        float32 (N, T, h, w), signed.

    Raises:
        ExplainError: The network carries no reference, or faces are of another size.
    """
    reference = reference_of(model)
    activations = feature_maps(model, batch, layer)
    if activations.shape[2:] != reference.offset.shape[1:]:
        raise ExplainError(
            f"The layer has {tuple(activations.shape[2:])} cells for this face, and "
            f"{tuple(reference.offset.shape[1:])} for the reference faces. Use faces of one size."
        )
    weights = _wide(reference.weights, activations).to(activations.dtype)
    parts = ((activations.shape[1], 1),)
    maps = _maps([activations], _of_cells(weights, parts), reference.offset)
    return maps[torch.arange(len(batch))[:, None], targets]


def _of_cells(weights: Tensor, parts: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Weights float32 (K, channels, h, w) by cells of each part, float32 (h w / f f, C, K f f).

    Args:
        weights: Of all classes.
        parts: Channels C of each part, and how many cells f a side stand for one of it.
    """
    found = []
    for own, (channels, f) in zip(
        torch.split(weights, [part[0] for part in parts], dim=1), parts, strict=True
    ):
        classes, _, height, width = own.shape
        blocks = own.reshape(classes, channels, height // f, f, width // f, f)
        found.append(blocks.permute(2, 4, 1, 0, 3, 5).reshape(-1, channels, classes * f * f))
    return found


def _maps(parts: Sequence[Tensor], weights: Sequence[Tensor], offset: Tensor) -> Tensor:
    """Maps of all classes, float32 (N, K, h, w).

    Args:
        parts: float32 (N, C, h / f, w / f) each; their channels together are the layer's.
        weights: Of each, by `_of_cells`.
        offset: float32 (K, h, w).
    """
    classes, height, width = offset.shape
    total: Tensor | float = 0.0
    for part, own in zip(parts, weights, strict=True):
        rows, columns = part.shape[2:]
        down, across = height // rows, width // columns
        # Of one cell at a time: the product with all weights at once would be K times as large.
        cells = part.flatten(2).permute(2, 0, 1) @ own  # (rows columns, N, K down across)
        # Columns first, then rows: two simple moves are half the work of a single one of both.
        lines = cells.reshape(rows, columns, -1, across).transpose(1, 2)
        wide = lines.reshape(rows, -1, classes, down * width).permute(1, 2, 0, 3)
        total = total + wide.reshape(-1, classes, height, width)
    return smoothed(total - offset)


class ExpectedCam(nn.Module):
    """Logits and the Expected CAM of all classes in one pass; exports to ONNX.

    Args:
        model: In eval mode, with a reference.

    Raises:
        ExplainError: It carries none.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        reference = reference_of(model)
        self.network = frozen_view(model)
        self.layer = reference.layer
        self._kept: list[Tensor] = []
        weights = _wide(reference.weights, reference.offset)
        parts: Sequence[tuple[int, int]] = ((weights.shape[1], 1),)
        # Repeated cells need not be repeated: half of the time of a face.
        self._apart = isinstance(model, FaceAndSlim) and reference.layer == "fine"
        if self._apart:
            parts = cast(FaceAndSlim, model).fine_parts
        else:
            find_layer(self.network, reference.layer).register_forward_hook(
                lambda _, __, output: self._kept.append(output)
            )
        for number, own in enumerate(_of_cells(weights, parts)):
            self.register_buffer(f"weights{number}", own)
        self.register_buffer("offset", reference.offset)
        self.eval()

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Logits float32 (N, K) and maps float32 (N, K, h, w) of float32 (N, C, S, S)."""
        self._kept.clear()
        if self._apart:
            logits, parts = cast(FaceAndSlim, self.network).apart(batch)
            self._kept.extend(parts)
        else:
            logits = self.network(batch)
        weights = [cast(Tensor, getattr(self, f"weights{n}")) for n in range(len(self._kept))]
        maps = _maps(self._kept, weights, cast(Tensor, self.offset))
        self._kept.clear()
        return logits, maps


def fast_methods(model: nn.Module) -> tuple[str, ...]:
    """Names of the methods whose maps of all classes need no backward pass here, best first."""
    found = []
    if carried_reference(model) is not None:
        found.append("expected_cam")
    if has_closed_form(model):
        found.append("grad_cam")
    return tuple(found)


def with_maps(model: nn.Module, method: str, *, apart: bool = False) -> nn.Module:
    """The network that gives its logits and the maps of all classes by one of `fast_methods`.

    Args:
        model: In eval mode.
        method: "expected_cam" or "grad_cam".
        apart: See `closed_grad_cam`; Expected CAM leaves the way to the logits as it is.

    Raises:
        ExplainError: The network has no such maps.
    """
    if method == "expected_cam":
        return ExpectedCam(model)
    return closed_grad_cam(model, apart=apart)


def reference_faces(images: Image, preprocess: Preprocess) -> Tensor:
    """Faces to measure a reference on, float32 (N, C, S, S): REFERENCE_FACES of those given.

    Args:
        images: uint8 (M, H, W), of the training part; a fixed chance draws from them.
        preprocess: Of the network's card.
    """
    order = np.random.default_rng(SEED).permutation(len(images))[:REFERENCE_FACES]
    pixels = np.stack([preprocess.pixels(images[place]) for place in np.sort(order)])
    return torch.from_numpy(preprocess.normalise(pixels))


def keep_reference(folder: Path, images: Image) -> None:
    """Measure a checkpoint's reference on training faces and keep it beside the weights.

    Args:
        folder: Of the checkpoint.
        images: uint8 (M, H, W), of its training part.

    Raises:
        ExplainError: The network has no layer fine enough.
    """
    model, card = load_model(folder)
    save_reference(measure_reference(model, reference_faces(images, card.preprocess)), folder)


def save_reference(reference: Reference, folder: Path) -> None:
    """Keep a reference beside a checkpoint's weights, its own weights in half precision."""
    tensors = {"weights": reference.weights.half().contiguous(), "offset": reference.offset}
    facts = {
        "layer": reference.layer,
        "faces": str(reference.faces),
        "weights_fingerprint": fingerprint(folder / WEIGHTS),
    }
    with replacing(folder / REFERENCE) as temporary:
        temporary.write_bytes(save(tensors, facts))


def load_reference(folder: Path) -> Reference | None:
    """The reference kept in a checkpoint's folder.

    Returns:
        None where there is none, it cannot be read, or it was made with other weights.
    """
    try:
        with safe_open(folder / REFERENCE, "pt") as file:
            facts = file.metadata() or {}
            weights, offset = file.get_tensor("weights"), file.get_tensor("offset")
        if facts["weights_fingerprint"] != fingerprint(folder / WEIGHTS):
            return None
        return Reference(facts["layer"], weights.float(), offset, int(facts["faces"]))
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def load_explained(folder: Path) -> tuple[nn.Module, Card]:
    """`load_model`, with the reference that the checkpoint keeps."""
    model, card = load_model(folder)
    give_reference(model, load_reference(folder))
    return model, card
