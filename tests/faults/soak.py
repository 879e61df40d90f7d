"""Soak: the same answers from four threads as from one, and a stream of frames that stays flat.

Run by `make soak`; lengths are options.  It prints figures and ends with 1 where one is not held.
"""

import argparse
import logging
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import psutil
from skimage.data import astronaut

from core.checkpoints import find_checkpoint
from core.predict import Predictor
from core.types import Image
from core.video import CoreFaceFinder, Pipeline
from webapp.live_camera.worker import LatestFrameWorker

THREADS = 4
MOST_GROWTH = 100.0  # MB
FAULT_EVERY = 97  # frames; one of so many cannot be analysed


@dataclass(frozen=True, slots=True)
class State:
    """What the process holds."""

    threads: int
    handles: int
    megabytes: float

    @classmethod
    def now(cls) -> "State":
        process = psutil.Process()
        return cls(process.num_threads(), process.num_fds(), process.memory_info().rss / 2**20)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def pictures(count: int) -> Iterator[Image]:
    """A face at another place and size in each picture, from 120 to 360 pixels wide."""
    photo = np.asarray(astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    generator = np.random.default_rng(0)
    for _ in range(count):
        top, left = generator.integers(0, 40, 2)
        bottom, right = generator.integers(300, 512, 2)
        yield np.ascontiguousarray(photo[top:bottom, left:right])


def analyses(predictor: Predictor, count: int) -> bool:
    """Whether four threads say the same, to the last bit, as one."""
    shown = list(pictures(count))

    def answer(image: Image) -> list[tuple[bytes, bytes]]:
        found = predictor.analyse(image)
        return [
            (face.prediction.probabilities.tobytes(), face.explanation.maps.tobytes())
            for face in found.faces
            if face.explanation is not None
        ]

    begun = time.monotonic()
    alone = [answer(image) for image in shown]
    between = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(answer, shown))
    differing = sum(one != other for one, other in zip(alone, together, strict=True))
    _say(
        f"analyses: {count} alone in {between - begun:.0f} s, from {THREADS} threads in "
        f"{time.monotonic() - between:.0f} s; {sum(map(bool, alone))} with a face; "
        f"{differing} differ"
    )
    return differing == 0


def frames(predictor: Predictor, count: int) -> bool:
    """Whether a stream with faces that come and go, and frames that fail, stays flat."""
    photo = np.asarray(astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    empty = np.full_like(photo, 90)
    pipeline = Pipeline(predictor, CoreFaceFinder())
    number = 0

    def analyse(image: Image, moment: float) -> object:
        if number % FAULT_EVERY == 0:
            raise RuntimeError("a frame that cannot be analysed")
        return pipeline.process(image, moment)

    worker = LatestFrameWorker(analyse, lambda result: None)  # type: ignore[arg-type]
    states = []
    for number in range(count):
        if number in (count // 5, count - 1):
            states.append(State.now())
        face = number // 50 % 3 != 2  # two seconds in three with a face
        image = np.roll(photo if face else empty, number % 64, axis=1)
        worker.wait(worker.submit(image, number / 25), 10.0)
    worker.reset()
    first, last = states
    _say(
        f"frames: {count}, of which {worker.errors} failed; a fifth in: {first}; at the end: {last}"
    )
    flat = last.threads <= first.threads and last.handles <= first.handles
    return flat and last.megabytes - first.megabytes < MOST_GROWTH and worker.errors > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--analyses", type=int, default=500)
    parser.add_argument("--frames", type=int, default=20_000)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # of the frames that fail on purpose
    predictor = Predictor.load(find_checkpoint("default"))
    held = [analyses(predictor, given.analyses), frames(predictor, given.frames)]
    _say(f"threads at the end: {threading.active_count()}")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
