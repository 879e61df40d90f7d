"""A camera's frames of 640x480 through our pipeline and through the paper's procedure, in turn."""

import time
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.bench.paper_frame import PaperFrame
from core.bench.timing import Comparison
from core.drawing import annotate_frame
from core.predict import Predictor
from core.video import RATE, FacesReader, Pipeline, sample_film

FRAMES = 300  # 12 seconds of camera; 60 searches
WARM_UP = 15  # frames that are not counted
BASELINE_EVERY = 5  # frames; the paper's procedure takes one frame of so many

Times = NDArray[np.float64]


def median(folder: Path) -> Comparison:
    """Median milliseconds a frame with one face.

    Args:
        folder: Checkpoint folder.
    """
    return _comparison(folder, 1, 0.5)


def p95(folder: Path) -> Comparison:
    """95th percentile of the milliseconds a frame with one face; argument as for `median`."""
    return _comparison(folder, 1, 0.95)


def four_faces(folder: Path) -> Comparison:
    """Median milliseconds a frame with four faces; argument as for `median`."""
    return _comparison(folder, 4, 0.5)


def _comparison(folder: Path, faces: int, quantile: float) -> Comparison:
    ours, theirs, shown = _measured(folder, faces)
    own, other = (1000 * float(np.quantile(times, quantile)) for times in (ours, theirs))
    name = "median" if quantile == 0.5 else f"{100 * quantile:.0f}th percentile"
    note = (
        f"640x480, {faces} face{'s' * (faces > 1)} ({shown:.1f} found a frame), {name} of "
        f"{len(ours)} frames: detection every 5th frame, 68 landmarks, logits, six maps, drawing; "
        f"baseline ({len(theirs)} frames): Haar on every frame, 68 landmarks, eager forward and "
        "backward of GiMEFiVE with hooks, drawing"
    )
    return Comparison(own, other, other / own, "ms", note)


@lru_cache(maxsize=2)
def _measured(folder: Path, faces: int) -> tuple[Times, Times, float]:
    """Seconds of every frame of both, timed in one run, and faces we found a frame."""
    pipeline = Pipeline(Predictor(folder), FacesReader(), budget=0)
    paper = PaperFrame()
    own: list[float] = []
    other: list[float] = []
    found: list[int] = []
    for number, image in enumerate(sample_film(WARM_UP + FRAMES, faces=faces)):
        started = time.perf_counter()
        result = pipeline.process(image, number / RATE)
        annotate_frame(image, result)
        own.append(time.perf_counter() - started)
        found.append(len(result.faces))
        if number % BASELINE_EVERY == 0:
            started = time.perf_counter()
            paper(image)
            other.append(time.perf_counter() - started)
    skipped = WARM_UP // BASELINE_EVERY
    return np.array(own[WARM_UP:]), np.array(other[skipped:]), float(np.mean(found[WARM_UP:]))
