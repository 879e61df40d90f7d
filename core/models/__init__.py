"""Networks, their catalogue, and how they are stored.

The card is there at once; whatever needs torch is loaded when it is first used.
"""

from typing import TYPE_CHECKING

from core.lazy import lazy_names
from core.models.card import Card

if TYPE_CHECKING:
    from core.models.catalogue import MODELS, ModelSpec, build, describe, parameter_count
    from core.models.checkpoint import library_versions, load_model, put_state, save_weights
    from core.models.face_resnet import FaceResNet, face_recognition_file, read_dlib_faces
    from core.models.gimefive import GiMEFiVE
    from core.models.importing import Description, import_weights, read_description
    from core.models.network_summary import LayerRow, summary, summary_text
    from core.models.slim_resnet import FaceAndSlim, SlimResNet

__getattr__ = lazy_names(
    __name__,
    {
        "catalogue": (
            "MODELS",
            "ModelSpec",
            "build",
            "describe",
            "parameter_count",
        ),
        "checkpoint": (
            "library_versions",
            "load_model",
            "put_state",
            "save_weights",
        ),
        "face_resnet": (
            "FaceResNet",
            "face_recognition_file",
            "read_dlib_faces",
        ),
        "gimefive": ("GiMEFiVE",),
        "importing": (
            "Description",
            "import_weights",
            "read_description",
        ),
        "slim_resnet": (
            "FaceAndSlim",
            "SlimResNet",
        ),
        "network_summary": (
            "LayerRow",
            "summary",
            "summary_text",
        ),
    },
)

__all__ = [
    "MODELS",
    "Card",
    "Description",
    "FaceAndSlim",
    "FaceResNet",
    "GiMEFiVE",
    "LayerRow",
    "ModelSpec",
    "SlimResNet",
    "build",
    "describe",
    "face_recognition_file",
    "import_weights",
    "library_versions",
    "load_model",
    "parameter_count",
    "put_state",
    "read_description",
    "read_dlib_faces",
    "save_weights",
    "summary",
    "summary_text",
]
