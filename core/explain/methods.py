"""The explanation methods: what is known of each, and where its code is.  Loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from core.registry import Registry
from core.types import DefaultLayer

if TYPE_CHECKING:
    from torch import Tensor, nn

    # (model, batch (N, C, S, S), targets (N, T), layer) -> maps (N, T, h, w)
    MapFunction = Callable[[nn.Module, Tensor, Tensor, str], Tensor]


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A method as the pages and the report describe it.

    Attributes:
        name: Registry name, permanent.
        place: Where its function is, "MODULE.FUNCTION" below core.explain.
        title: Name on screen.
        formula: The map of class c in plain text: A is the layer with channels k and cells ij, y_c
            the logit, g = dy_c / dA, x the input.
        paper: First author, year, address.
        cost: What its maps cost, in words and in forward passes: those of all classes from one
            pass, or, where it says so, one map a class.
        passes: About how many forward passes the map of one class costs.
        class_discriminative: Whether the map depends on the class asked for.
        signed: Whether negative values mean evidence against the class.
        complete: Whether the cells sum to the class's logit up to a stated constant; where this
            holds for some layers only, `caveat` says for which.
        default_layer: Which layer is explained unless one is named.
        any_layer: Whether every layer with a feature map may be named.
        caveat: What a reader should know before relying on it; empty where nothing is to be said.
    """

    name: str
    place: str
    title: str
    formula: str
    paper: str
    cost: str
    passes: float
    class_discriminative: bool = True
    signed: bool = False
    complete: bool = False
    default_layer: DefaultLayer = "input"
    any_layer: bool = False
    caveat: str = ""

    @property
    def maps(self) -> "MapFunction":
        """The function that makes the maps, loaded when it is first asked for."""
        module, _, function = self.place.rpartition(".")
        found: MapFunction = getattr(import_module(f"core.explain.{module}"), function)
        return found


EXPLAINERS: Registry[MethodInfo] = Registry("explanation method")

for _info in (
    MethodInfo(
        "expected_cam",
        "expected_cam.expected_cam",
        "Expected CAM",
        "sum_k w_k (A_k - E[A_k]), w_k = E[g_k A_k] / E[A_k], cell by cell, less its mean over the "
        "classes, blurred by 1/16 of the side; E over reference faces",
        "Linear SHAP (Lundberg and Lee 2017, https://arxiv.org/abs/1705.07874, Corollary 1) of a "
        "layer, with mean gradients as its weights",
        "1 forward pass for all classes",
        1,
        signed=True,
        default_layer="reference",
        caveat="Compares this face with the average of reference faces: what it has more or less "
        "than they, weighed by what moves the class in them, not in this face alone.",
    ),
    MethodInfo(
        "grad_cam",
        "cam.grad_cam",
        "Grad-CAM",
        "ReLU(sum_k mean_ij(g_k) A_k)",
        "Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391",
        "1.0 to 1.3 forward passes",
        1,
        default_layer="last",
        any_layer=True,
        caveat="The last layer divides the face into few large fields: brow and eye may share one.",
    ),
    MethodInfo(
        "grad_cam_pp",
        "cam.grad_cam_pp",
        "Grad-CAM++",
        "ReLU(sum_k w_k A_k), w_k = sum_ij a_kij ReLU(g_kij), "
        "a = g^2 / (2 g^2 + sum_ab(A_kab) g^3)",
        "Chattopadhay et al. 2018, https://arxiv.org/abs/1710.11063",
        "1.3 to 2 forward passes",
        1.2,
        default_layer="last",
        any_layer=True,
    ),
    MethodInfo(
        "hires_cam",
        "cam.hires_cam",
        "HiResCAM",
        "sum_k g_k A_k, cell by cell",
        "Draelos and Carin 2020, https://arxiv.org/abs/2011.08891",
        "1.3 to 4 forward passes",
        2,
        signed=True,
        complete=True,
        default_layer="fine",
        any_layer=True,
        caveat="Complete at the last ReLU; in finer layers biases and batch norms behind the layer "
        "take a share that no cell shows.",
    ),
    MethodInfo(
        "smooth_hires_cam",
        "cam.smooth_hires_cam",
        "Smooth HiResCAM",
        "mean over noise of sum_k g_k A_k, cell by cell",
        "Draelos and Carin 2020, https://arxiv.org/abs/2011.08891, averaged over noise as in "
        "Smilkov et al. 2017, https://arxiv.org/abs/1706.03825",
        "10 to 16 forward passes",
        16,
        signed=True,
        default_layer="fine",
        any_layer=True,
        caveat="Shows what speaks for the class in noisy copies of the face as well; its cells do "
        "not sum to the logit.",
    ),
    MethodInfo(
        "layer_cam",
        "cam.layer_cam",
        "Layer-CAM",
        "ReLU(sum_k ReLU(g_k) A_k), cell by cell",
        "Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943",
        "1.3 to 4 forward passes",
        2,
        default_layer="fine",
        any_layer=True,
    ),
    MethodInfo(
        "smooth_layer_cam",
        "cam.smooth_layer_cam",
        "Smooth Layer-CAM",
        "ReLU(sum_k ReLU(g_k) A_k), cell by cell, blurred by 1/16 of the side",
        "Jiang et al. 2021, https://doi.org/10.1109/TIP.2021.3089943",
        "1.3 to 4 forward passes",
        2,
        default_layer="fine",
        any_layer=True,
        caveat="What a layer answers strongly to counts for every class in part, so maps of "
        "different classes look alike.",
    ),
    MethodInfo(
        "cam",
        "cam.cam",
        "CAM",
        "sum_k w_ck A_k / (number of cells)",
        "Zhou et al. 2016, https://arxiv.org/abs/1512.04150",
        "1 forward pass",
        1,
        signed=True,
        complete=True,
        default_layer="pooled",
        caveat="Only for networks whose global average pooling feeds the logits directly.",
    ),
    MethodInfo(
        "activation",
        "cam.activation",
        "Layer activation",
        "mean_k |A_k|",
        "Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901",
        "1 forward pass",
        1,
        class_discriminative=False,
        default_layer="fine",
        any_layer=True,
        caveat="Shows where the layer responds, whatever the class.",
    ),
    MethodInfo(
        "saliency",
        "saliency.saliency",
        "Saliency",
        "max over channels of |dy_c / dx|",
        "Simonyan et al. 2014, https://arxiv.org/abs/1312.6034",
        "3 forward passes a class",
        3,
    ),
    MethodInfo(
        "smooth_grad",
        "saliency.smooth_grad",
        "SmoothGrad",
        "max over channels of |mean over noise of dy_c / d(x + noise)|",
        "Smilkov et al. 2017, https://arxiv.org/abs/1706.03825",
        "48 forward passes a class",
        48,
    ),
    MethodInfo(
        "integrated_gradients",
        "integrated_gradients.integrated_gradients",
        "Integrated gradients",
        "sum over channels of (x - b) times the mean of dy_c / dx on the way from b to x",
        "Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365",
        "100 to 3,000 forward passes a class",
        100,
        signed=True,
        complete=True,
        caveat="Relative to an even mid-grey picture b: pixels as grey as it get nothing.",
    ),
    MethodInfo(
        "guided_backprop",
        "guided.guided_backprop",
        "Guided backpropagation",
        "max over channels of |dy_c / dx| where each ReLU passes positive gradients only",
        "Springenberg et al. 2015, https://arxiv.org/abs/1412.6806",
        "3 forward passes a class",
        3,
        caveat="Known to act as an edge detector (Adebayo et al. 2018): it changes little when the "
        "weights are made random.",
    ),
    MethodInfo(
        "guided_grad_cam",
        "guided.guided_grad_cam",
        "Guided Grad-CAM",
        "Grad-CAM, enlarged, times guided backpropagation",
        "Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391",
        "4 forward passes a class",
        4,
        default_layer="last",
        any_layer=True,
        caveat="Inherits the edges of guided backpropagation.",
    ),
    MethodInfo(
        "occlusion",
        "occlusion.occlusion",
        "Occlusion",
        "y_c(x) - y_c(x with a blurred window), averaged over the windows that cover a pixel",
        "Zeiler and Fergus 2014, https://arxiv.org/abs/1311.2901",
        "50 forward passes",
        50,
        signed=True,
        caveat="Measured, not derived; the blur it hides with is the one the deletion test uses, "
        "which favours it there.",
    ),
):
    EXPLAINERS.register(_info.name)(_info)

SLOW_PASSES = 20  # from here on a method is measured on fewer faces and computed on demand
