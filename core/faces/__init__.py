"""Faces: found by several detectors, framed like the training crops, landmarks and regions.

Importing this package loads no model and no dlib.
"""

from core.faces import dlib_hog, haar  # noqa: F401 - registers them
from core.faces.alignment import CROP_SIDE, aligned_crop, warped
from core.faces.auto import NAME as DEFAULT_DETECTOR
from core.faces.auto import Found
from core.faces.blazeface import available as blazeface_available
from core.faces.detection import DETECTORS, Detector
from core.faces.finding import (
    FoundFaces,
    believed_landmarks,
    detect,
    find_faces,
    fitted_landmarks,
    frame_face,
    halved_note,
    search_faces,
    whole_picture,
)
from core.faces.landmarks import fit_landmarks, head_yaw
from core.faces.region_masks import REGIONS, regions

__all__ = [
    "CROP_SIDE",
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "REGIONS",
    "Detector",
    "Found",
    "FoundFaces",
    "aligned_crop",
    "believed_landmarks",
    "blazeface_available",
    "detect",
    "find_faces",
    "fit_landmarks",
    "fitted_landmarks",
    "frame_face",
    "halved_note",
    "head_yaw",
    "regions",
    "search_faces",
    "warped",
    "whole_picture",
]
