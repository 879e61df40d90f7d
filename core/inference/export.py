"""A network as an ONNX file that takes grey pixels and needs nothing else."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from core.files import replacing
from core.preprocess import Preprocess

OPSET = 20


class PixelNetwork(nn.Module):
    """A network with its normalisation in front.

    Args:
        network: Takes float32 (N, C, S, S); returns logits, or logits and maps.
        preprocess: Normalisation to apply.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, network: nn.Module, preprocess: Preprocess) -> None:
        super().__init__()
        self.network = network
        self.margin = (preprocess.size - preprocess.crop) // 2
        self.crop = preprocess.crop
        scale, shift = preprocess.affine()
        self.register_buffer("scale", torch.from_numpy(scale)[None, :, None, None])
        self.register_buffer("shift", torch.from_numpy(shift)[None, :, None, None])
        self.train(network.training)

    def forward(self, pixels: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """What the network gives for uint8 (N, S, S)."""
        window = slice(self.margin, self.margin + self.crop)
        grey = pixels[:, None, window, window].float()
        result: Tensor | tuple[Tensor, Tensor] = self.network(grey * self.scale + self.shift)
        return result


def export_onnx(
    model: nn.Module, preprocess: Preprocess, path: Path, *, maps: bool = False
) -> None:
    """Write an ONNX file with input `pixels` uint8 (N, S, S), N free.

    Args:
        model: In eval mode.
        preprocess: What the model's card says.
        path: Target, replaced at once.
        maps: Whether the model gives logits and maps of every class, as `core.explain.with_maps`
            makes one: float32 (N, K, h, w), not stretched, the output `maps` behind `logits`
            float32 (N, K).
    """
    network = PixelNetwork(model, preprocess).eval()
    names = ["logits", "maps"] if maps else ["logits"]
    example = torch.zeros(2, preprocess.size, preprocess.size, dtype=torch.uint8)
    with replacing(path) as temporary, warnings.catch_warnings():
        # The tracing exporter is ten times faster than its successor on these small graphs and
        # only warns of its age; trace warnings concern sizes that are constant here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            str(temporary),
            dynamo=False,
            opset_version=OPSET,
            input_names=["pixels"],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in ["pixels", *names]},
        )
