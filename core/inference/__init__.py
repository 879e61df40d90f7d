"""Fast inference of stored checkpoints with ONNX Runtime.

What writes files needs torch, and is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from core.inference.engine import (
    Kind,
    OnnxEngine,
    Quantisation,
    calibrate,
    engine,
    is_built,
    kind_with_maps,
    preferred,
)
from core.lazy import lazy_names

if TYPE_CHECKING:
    from core.inference.export import export_onnx, write_onnx

__getattr__ = lazy_names(__name__, {"export": ("export_onnx", "write_onnx")})

__all__ = [
    "Kind",
    "OnnxEngine",
    "Quantisation",
    "calibrate",
    "engine",
    "export_onnx",
    "is_built",
    "kind_with_maps",
    "preferred",
    "write_onnx",
]
