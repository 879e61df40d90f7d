"""GiMEFiVE Studio: facial expressions as raters label them, classified and explained.

Importing this package loads neither torch nor any model.
"""

from core import paths
from core.errors import (
    CheckpointError,
    ConfigError,
    CoreError,
    DataError,
    ExplainError,
    FaceError,
    ImageError,
    TrainingError,
    VideoError,
)
from core.labels import CLASS_SETS, EMOTIONS
from core.types import (
    Box,
    Detection,
    Explanation,
    Face,
    FaceResult,
    Image,
    ImageResult,
    Prediction,
)

__all__ = [
    "CLASS_SETS",
    "EMOTIONS",
    "Box",
    "CheckpointError",
    "ConfigError",
    "CoreError",
    "DataError",
    "Detection",
    "ExplainError",
    "Explanation",
    "Face",
    "FaceError",
    "FaceResult",
    "Image",
    "ImageError",
    "ImageResult",
    "Prediction",
    "TrainingError",
    "VideoError",
]

paths.tell_nobody()
