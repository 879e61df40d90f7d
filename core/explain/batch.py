"""Maps of many faces, with every gradient computed once however many methods use it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.explain.cam import WEIGHINGS, layer_gradients
from core.explain.integrated_gradients import integrated_gradients
from core.explain.layers import INPUT
from core.explain.methods import EXPLAINERS

CHUNK = 32  # faces whose maps are made at once
REPORT_STEPS = 16  # of integrated gradients: enough for an order of pixels


def enlarged(maps: Tensor, side: int) -> Tensor:
    """Maps at the input's size, bilinear, float32 (N, side, side).

    Args:
        maps: float32 (N, h, w).
        side: In pixels.
    """
    if maps.shape[-2:] == (side, side):
        return maps
    return functional.interpolate(
        maps[:, None], size=(side, side), mode="bilinear", align_corners=False
    )[:, 0]


class MapMaker:
    """Makes maps of one class a face and remembers them.

    Grad-CAM and Grad-CAM++ need the same gradients, HiResCAM and Layer-CAM too where they explain
    the same layer, and guided Grad-CAM is a product of two others' maps.

    Args:
        layers: The layer of every method that will be asked for.
    """

    def __init__(self, layers: Mapping[str, str]) -> None:
        self._layers = {"guided_backprop": INPUT, **layers}
        self._known: dict[tuple[str, str, int], Tensor] = {}

    def maps(
        self, occasion: str, method: str, model: nn.Module, batch: Tensor, targets: Tensor
    ) -> Tensor:
        """Maps float32 (N, h, w) of a method at its layer.

        Args:
            occasion: Names the network and the faces: the same occasion and number of faces must
                mean the same ones.
            method: Registry name, one of `layers`.
            model: In eval mode.
            batch: float32 (N, C, S, S).
            targets: int64 (N,), the class explained of each face.

        Raises:
            ExplainError: The method does not apply to this network.
        """
        key = (occasion, method, len(batch))
        if key not in self._known:
            layer = self._layers[method]
            mates = [name for name in WEIGHINGS if self._layers.get(name) == layer]
            if method in mates:
                for name, found in _weighed(mates, model, batch, targets, layer).items():
                    self._known[occasion, name, len(batch)] = found
            elif method == "guided_grad_cam" and self._layers.get("grad_cam") == layer:
                self._known[key] = self._guided(occasion, model, batch, targets)
            else:
                self._known[key] = class_maps(model, batch, targets, method, layer)
        return self._known[key]

    def _guided(self, occasion: str, model: nn.Module, batch: Tensor, targets: Tensor) -> Tensor:
        """Guided Grad-CAM out of its two factors."""
        given = (model, batch, targets)
        fine = self.maps(occasion, "guided_backprop", *given)
        return fine * enlarged(self.maps(occasion, "grad_cam", *given), batch.shape[-1])


def class_maps(model: nn.Module, batch: Tensor, targets: Tensor, method: str, layer: str) -> Tensor:
    """Maps of one class a face, chunk by chunk.

    Args:
        model: In eval mode.
        batch: float32 (N, C, S, S).
        targets: int64 (N,), the class explained of each face.
        method: Registry name.
        layer: The layer explained; "input" for methods that explain pixels.

    Returns:
        float32 (N, h, w).

    Raises:
        ExplainError: The method does not apply to this network or layer.
    """
    parts = []
    for faces, wanted in _chunks(batch, targets):
        if method == "integrated_gradients":
            found = integrated_gradients(
                model, faces, wanted, layer, first=REPORT_STEPS, most=REPORT_STEPS
            )
        else:
            found = EXPLAINERS[method].maps(model, faces, wanted, layer)
        parts.append(found[:, 0])
    return torch.cat(parts)


def _weighed(
    methods: list[str], model: nn.Module, batch: Tensor, targets: Tensor, layer: str
) -> dict[str, Tensor]:
    parts: dict[str, list[Tensor]] = {name: [] for name in methods}
    for faces, wanted in _chunks(batch, targets):
        gradients = layer_gradients(model, faces, wanted, layer)
        for name in methods:
            parts[name].append(WEIGHINGS[name](gradients)[:, 0])
    return {name: torch.cat(found) for name, found in parts.items()}


def _chunks(batch: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    split = torch.split(batch, CHUNK), torch.split(targets[:, None], CHUNK)
    return list(zip(*split, strict=True))
