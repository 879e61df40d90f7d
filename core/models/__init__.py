"""Networks, their catalogue, and how they are stored.  Importing this loads torch."""

from core.models.card import Card
from core.models.catalogue import MODELS, ModelSpec, build, describe, parameter_count
from core.models.checkpoint import library_versions, load_model, save_weights
from core.models.gimefive import GiMEFiVE
from core.models.slim_resnet import SlimResNet
from core.models.summary import LayerRow, summary, summary_text

__all__ = [
    "MODELS",
    "Card",
    "GiMEFiVE",
    "LayerRow",
    "ModelSpec",
    "SlimResNet",
    "build",
    "describe",
    "library_versions",
    "load_model",
    "parameter_count",
    "save_weights",
    "summary",
    "summary_text",
]
