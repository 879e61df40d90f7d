"""How the app would frame the face of every prepared picture.

Published crops differ: some are aligned by the eyes, some are loose. The app frames every face like
the aligned ones (`core.faces.alignment`), so a network that has seen a loose source only as it was
published answers worse about the same faces in the app. Training can show them both ways.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataError
from core.faces import (
    CROP_SIDE,
    DETECTORS,
    aligned_crop,
    believed_landmarks,
    blazeface_available,
    warped,
)
from core.files import replacing
from core.types import Image

FILE = "frames.npz"
_BLOCK = 1000  # pictures between two saves


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames of a prepared folder's pictures.

    Attributes:
        maps: float32 (N, 2, 3); affine map from the aligned crop to the picture, both from -1 to 1
            between the outer edges of the outer pixels; NaN where no face was found.
        looked: bool (N,), whether a picture was looked at.
    """

    maps: NDArray[np.float32]
    looked: NDArray[np.bool_]

    @property
    def found(self) -> int:
        """Number of pictures in which a face was found."""
        return int(np.isfinite(self.maps[:, 0, 0]).sum())


def frame_map(picture: Image) -> NDArray[np.float32]:
    """The frame of the largest face.

    Args:
        picture: uint8 (S, S), grey.

    Returns:
        float32 (2, 3) as in `Frames.maps`, NaN where no face with plausible landmarks is found.
    """
    rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    found = DETECTORS["blazeface" if blazeface_available() else "dlib_hog"](rgb)
    landmarks = believed_landmarks(rgb, found[0]) if found else None
    if landmarks is None:
        return np.full((2, 3), np.nan, np.float32)
    to_crop = aligned_crop(rgb, landmarks)[1]
    to_picture = cv2.invertAffineTransform(to_crop)
    # Pixel centres are at whole numbers: -1 to 1 is -0.5 to side - 0.5.
    half, side = CROP_SIDE / 2, len(picture)
    linear = to_picture[:, :2] * half * 2 / side
    middle = to_picture @ np.array([half - 0.5, half - 0.5, 1.0])
    return np.column_stack([linear, (middle + 0.5) * 2 / side - 1]).astype(np.float32)


def framed(picture: Image, frame: NDArray[np.float32], margin: float = 0.0) -> Image:
    """Cut a picture as the app would.

    Args:
        picture: uint8 (S, S), grey.
        frame: float32 (2, 3), its map without NaN.
        margin: Extra width on each side, as a share of the frame; negative for less.

    Returns:
        uint8 (CROP_SIDE, CROP_SIDE), grey; the edge is repeated beyond the picture.
    """
    side, half = len(picture), CROP_SIDE / 2
    linear = frame[:, :2].astype(np.float64) * (1 + 2 * margin) * side / CROP_SIDE
    middle = (frame[:, 2] + 1) * side / 2 - 0.5
    to_picture = np.column_stack([linear, middle - linear @ (half - 0.5, half - 0.5)])
    rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
    to_crop = np.asarray(cv2.invertAffineTransform(to_picture), np.float64)
    return warped(rgb, to_crop, CROP_SIDE)[:, :, 0]


def find_frames(
    dataset: Dataset,
    sources: list[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Frames:
    """Find and keep the frames of all pictures that have none yet; an interruption loses little.

    Args:
        dataset: A prepared folder; its frames.npz is written.
        sources: Only the pictures of these; None for all.
        progress: Called with the number done and the number to do.

    Raises:
        DataError: There is no such source.
        FaceError: The landmark model cannot run here.
    """
    names = dataset.manifest["source"]
    unknown = sorted(set(sources or ()) - set(names))
    if unknown:
        raise DataError(
            f"{dataset.folder.name} has no source {', '.join(unknown)}; "
            f"it has {', '.join(names.unique())}."
        )
    frames = load_frames(dataset) or Frames(
        np.full((len(names), 2, 3), np.nan, np.float32), np.zeros(len(names), bool)
    )
    wanted = np.ones(len(names), bool) if sources is None else names.isin(sources).to_numpy()
    ids = np.flatnonzero(wanted & ~frames.looked)
    for start in range(0, len(ids), _BLOCK):
        for done, row in enumerate(ids[start : start + _BLOCK], start):
            progress(done, len(ids))
            frames.maps[row] = frame_map(np.asarray(dataset.images[row]))
            frames.looked[row] = True
        _save(dataset, frames)
    progress(len(ids), len(ids))
    return frames


def load_frames(dataset: Dataset) -> Frames | None:
    """The kept frames, or None where there are none of these very pictures.

    Raises:
        DataError: The file is damaged.
    """
    path = frames_path(dataset)
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file) as kept:
            order = str(kept.get("order_hash", dataset.order_hash))  # older files have none
            if (str(kept["data_hash"]), order) != (dataset.data_hash, dataset.order_hash):
                return None
            return Frames(kept["maps"], kept["looked"])
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise DataError(
            f"{path} cannot be read ({error}). Delete it and run: "
            f"python -m core frame {dataset.folder}"
        ) from error


def frames_path(dataset: Dataset) -> Path:
    """Where the frames of a prepared folder lie."""
    return dataset.folder / FILE


def _save(dataset: Dataset, frames: Frames) -> None:
    with replacing(frames_path(dataset)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, maps=frames.maps, looked=frames.looked, data_hash=np.array(dataset.data_hash),
            order_hash=np.array(dataset.order_hash),
        )  # fmt: skip
