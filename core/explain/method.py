"""What is known of each explanation method before it runs.  Importing this loads no torch."""

from dataclasses import dataclass
from typing import Literal

from core.registry import Registry

# "last": the network's last convolution; "fine": its last ReLU with at least 16x16 cells;
# "last_relu": the last rectified feature map; "input": the pixels themselves.
DefaultLayer = Literal["last", "fine", "last_relu", "input"]


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A method as the pages and the report describe it.

    Attributes:
        name: Registry name, permanent.
        title: Name on screen.
        formula: The map of class c in plain text; A is the layer, y_c the logit, x the input.
        paper: First author, year, address.
        cost: What all classes cost, in words and in forward passes.
        class_discriminative: Whether the map depends on the class asked for.
        signed: Whether negative values mean evidence against the class.
        complete: Whether the cells sum to the class's logit up to a stated constant, at the
            default layer.
        default_layer: Which layer is explained unless one is named.
        any_layer: Whether every layer with a feature map may be named.
        caveat: What a reader should know before trusting it; empty where nothing is to be said.
    """

    name: str
    title: str
    formula: str
    paper: str
    cost: str
    class_discriminative: bool
    signed: bool
    complete: bool
    default_layer: DefaultLayer
    any_layer: bool
    caveat: str = ""


EXPLAINERS: Registry[MethodInfo] = Registry("explanation method")


def _add(info: MethodInfo) -> None:
    EXPLAINERS.register(info.name)(info)


_add(
    MethodInfo(
        name="grad_cam",
        title="Grad-CAM",
        formula="ReLU(sum_k mean_ij(dy_c / dA_k) A_k)",
        paper="Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391",
        cost="1.0 to 1.3 forward passes for all classes",
        class_discriminative=True,
        signed=False,
        complete=False,
        default_layer="last",
        any_layer=True,
        caveat="On 64 px faces the last convolution has 4x4 cells: brow and eye share one.",
    )
)
