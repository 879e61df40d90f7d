"""The table of an analysed video as the page needs it: by face, over time, at one moment."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import Prediction

MOST_POINTS = 600  # of a line; a screen shows no more
GAP = 1.0  # seconds out of view from which a line is broken


@dataclass(frozen=True, slots=True, eq=False)
class FaceNumbers:
    """What the table says of a video.

    Attributes:
        labels: Class names.
        rows: A row a face and frame: frame, time, face, one column a class, label; sorted by time.
        times: float64 (F,), the second of every frame, also of those without a face.
    """

    labels: tuple[str, ...]
    rows: pd.DataFrame
    times: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> "FaceNumbers":
        """Read a `faces.csv`; its classes are the columns between box and label."""
        header = pd.read_csv(path, nrows=0).columns.tolist()
        labels = tuple(header[header.index("bottom") + 1 : header.index("label")])
        table = pd.read_csv(path, usecols=["frame", "time", "face", *labels, "label"])
        times = table.drop_duplicates("frame")["time"].to_numpy(np.float64)
        rows = table.dropna(subset=["face"]).astype({"face": int}).reset_index(drop=True)
        return cls(labels, rows, times)

    def nearest(self, moment: float) -> float:
        """The second of the frame shown at a moment."""
        index = int(np.searchsorted(self.times, moment + 1e-6, side="right")) - 1
        return float(self.times[max(index, 0)])

    def at(self, moment: float) -> list[tuple[int, str, Prediction]]:
        """Face, label shown and probabilities of every face of the frame shown at a moment."""
        shown = self.rows[self.rows["time"] == self.nearest(moment)]
        return [
            (int(row["face"]), str(row["label"]), self._prediction(row))
            for _, row in shown.iterrows()
        ]

    def _prediction(self, row: "pd.Series[float]") -> Prediction:
        shares = np.asarray(row[list(self.labels)], np.float64)
        return Prediction(self.labels, shares, np.log(np.maximum(shares, 1e-12)))

    def timeline(self, face: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One face over time, for a chart.

        Returns:
            Seconds float64 (T,) and probabilities float64 (T, K), means over equal spans where
            there are more frames than a chart can show; a row of NaN where the face was away.
        """
        own = self.rows[self.rows["face"] == face]
        times, shares = own["time"].to_numpy(np.float64), own[list(self.labels)].to_numpy()
        step = -(-len(times) // MOST_POINTS)
        starts = np.arange(0, len(times), max(step, 1))
        counts = np.diff(np.append(starts, len(times)))
        points = np.add.reduceat(times, starts) / counts
        values = np.add.reduceat(shares, starts, axis=0) / counts[:, None]
        span = float(np.median(np.diff(points))) if len(points) > 1 else 0.0
        breaks = np.flatnonzero(np.diff(points) > GAP + 2 * span) + 1
        points = np.insert(points, breaks, points[breaks] - 1e-3)
        return points, np.insert(values, breaks, np.nan, axis=0)
