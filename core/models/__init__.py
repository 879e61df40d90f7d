"""Networks, their catalogue, and how they are stored.  Importing this loads torch."""

from core.models.catalogue import MODELS, ModelSpec, build, describe, parameter_count
from core.models.gimefive import GiMEFiVE

__all__ = [
    "MODELS",
    "GiMEFiVE",
    "ModelSpec",
    "build",
    "describe",
    "parameter_count",
]
