"""Fast inference of stored checkpoints with ONNX Runtime.  Importing this loads torch."""

from core.inference.engine import (
    Kind,
    OnnxEngine,
    calibrate,
    engine,
    export_onnx,
    preferred,
    write_onnx,
)
from core.inference.quantise import Quantisation

__all__ = [
    "Kind",
    "OnnxEngine",
    "Quantisation",
    "calibrate",
    "engine",
    "export_onnx",
    "preferred",
    "write_onnx",
]
