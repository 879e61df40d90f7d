"""Ten minutes of live stream, as fast as they go: nothing grows, nothing breaks.

Not part of `make test`, because it takes minutes: `python -m pytest tests/bench -m bench`.
"""

import asyncio
import logging
import time
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import psutil
import pytest

from core.predict import Predictor
from core.video import RATE, CoreFaceFinder, sample_film
from webapp.live_camera.stream import LiveStream

MINUTE = 60 * RATE  # frames
MINUTES = 10
FILM = 250  # frames, shown again and again
GROWTH = 50 * 2**20  # bytes

pytestmark = [pytest.mark.bench, pytest.mark.slow, pytest.mark.timeout(3600)]


def test_delay_and_memory_stay_and_the_log_is_empty(caplog: pytest.LogCaptureFixture) -> None:
    film = list(islice(sample_film(FILM), FILM))
    stream = LiveStream(Predictor.load(), CoreFaceFinder())
    stream.warm_up(film[0])
    process, loop = psutil.Process(), asyncio.new_event_loop()
    delays, memory, results = [], [], 0

    for number in range(MINUTES * MINUTE):
        frame = av.VideoFrame.from_ndarray(film[number % FILM], "rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number * 3600, Fraction(1, 90000)
        started = time.perf_counter()
        (answer,) = loop.run_until_complete(stream.handle([frame]))
        delays.append(time.perf_counter() - started)
        newest = stream.history.newest()
        results += newest is not None and len(newest.faces) == 1
        assert answer.pts == frame.pts
        if number % MINUTE == MINUTE - 1:
            memory.append(process.memory_info().rss)

    loop.close()
    first, last = delays[:MINUTE], delays[-MINUTE:]
    logging.getLogger(__name__).info(
        "delay %.1f ms in the first minute, %.1f in the last; memory %+.1f MB; a face in %d of %d",
        1000 * float(np.median(first)),
        1000 * float(np.median(last)),
        (memory[-1] - memory[0]) / 2**20,
        results,
        len(delays),
    )
    assert float(np.median(last)) < 1.5 * float(np.median(first))
    assert memory[-1] - memory[0] < GROWTH
    assert results > 0.99 * len(delays)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert stream.numbers().errors == 0
