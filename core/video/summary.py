"""What a video says as a whole, kept in numbers that do not grow with its length."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.drawing import UNCLEAR
from core.faces import REGIONS
from core.types import FrameResult, LiveFace
from core.video.table import Shares

CAVEAT = (
    "Labels are how raters would label the expression in a picture, not what a person feels. "
    "Ids follow a face while it is in view; they do not recognise a person."
)
_SLOWEST = 2000  # milliseconds; longer frames count as this long


@dataclass(slots=True, eq=False)
class _FaceSum:
    first: float
    last: float
    probabilities: NDArray[np.float64]
    frames: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    shown: str = ""
    shares: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(REGIONS)))
    mapped: int = 0


class Summary:
    """Sums over the frames of a video.

    Args:
        labels: Class names.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._faces: dict[int, _FaceSum] = {}
        self._milliseconds = np.zeros(_SLOWEST + 1, np.int64)
        self._empty = 0

    def add(self, time: float, result: FrameResult, shares: Shares) -> None:
        """Take in a frame; arguments as for `FaceTable.add`."""
        self._milliseconds[min(round(1000 * result.seconds), _SLOWEST)] += 1
        self._empty += not result.faces
        for face in result.faces:
            self._add_face(time, face, shares)

    def _add_face(self, time: float, face: LiveFace, shares: Shares) -> None:
        probabilities = face.prediction.probabilities
        known = self._faces.get(face.id)
        if known is None:
            known = self._faces[face.id] = _FaceSum(time, time, np.zeros(len(probabilities)))
        label = face.label or UNCLEAR
        known.changes += known.frames > 0 and label != known.shown
        known.frames, known.last, known.shown = known.frames + 1, time, label
        known.labels[label] += 1
        known.probabilities += probabilities
        own = shares.get(face.id)
        if own is not None:
            known.shares += [own[name] for name in REGIONS]
            known.mapped += 1

    def to_json(self) -> dict[str, Any]:
        """Plain values: frames, faces (most frames first) and times a frame."""
        ranked = sorted(self._faces.items(), key=lambda entry: -entry[1].frames)
        return {
            "frames": int(self._milliseconds.sum()),
            "frames_without_face": self._empty,
            "faces": [self._face(key, known) for key, known in ranked],
            "frame_milliseconds": {"median": self._quantile(0.5), "p95": self._quantile(0.95)},
            "caveat": CAVEAT,
        }

    def _face(self, key: int, known: _FaceSum) -> dict[str, Any]:
        means = known.probabilities / known.frames
        regions = None
        if known.mapped:
            values = known.shares / known.mapped
            regions = dict(zip(REGIONS, values.tolist(), strict=True))
        return {
            "face": key,
            "first": known.first,
            "last": known.last,
            "frames": known.frames,
            "label_changes": known.changes,
            "labels": {name: count / known.frames for name, count in known.labels.most_common()},
            "mean_probabilities": dict(zip(self._labels, means.tolist(), strict=True)),
            "mean_region_shares": regions,
        }

    def _quantile(self, share: float) -> int:
        """Milliseconds below which this share of the frames took."""
        reached = np.cumsum(self._milliseconds)
        return int(np.searchsorted(reached, share * reached[-1])) if reached[-1] else 0
