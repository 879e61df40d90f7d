"""The last minute, and how the stream is doing."""

import re
from base64 import b64decode

import numpy as np
import pytest

from core.labels import EMOTIONS
from core.types import Box, Detection, Face, FrameResult, LiveFace, Prediction
from webapp.live_camera.history import SPAN, FaceHistory, History, Rates, minute


def result(time: float, *ids: int, happy: float = 0.5) -> FrameResult:
    shares = np.array([happy, 1 - happy, 0, 0, 0, 0])
    prediction = Prediction(EMOTIONS, shares, shares)
    face = Face(Detection(Box(0, 0, 9, 9), 1.0, "x"), np.zeros((4, 4, 3), np.uint8), np.eye(2, 3))
    faces = tuple(LiveFace(key, face, prediction, shares, "happiness") for key in ids)
    return FrameResult(time, 64, 48, faces)


def test_each_face_has_its_own_line() -> None:
    history = History()
    history.add(result(0.0, 1, 2, happy=0.25))
    history.add(result(0.2, 2, happy=0.75))

    assert history.of(1).times == [0.0]
    assert [row and row[0] for row in history.of(2).rows] == [0.25, 0.75]
    assert history.of(3).times == []
    assert history.newest() is not None


def test_points_closer_than_the_eye_sees_are_left_out_and_old_ones_forgotten() -> None:
    history = History()

    for number in range(25 * 100):
        history.add(result(number / 25, 1))

    times = history.of(1).times
    assert times[0] >= 100 - 0.04 - SPAN - 0.01
    assert len(times) <= SPAN / 0.1 + 1


def test_a_face_gone_for_a_minute_leaves_nothing_behind() -> None:
    history = History()
    history.add(result(0.0, 1))
    history.add(result(SPAN + 1, 2))

    assert history.of(1).times == []


def test_the_line_breaks_where_the_face_was_away() -> None:
    history = History()
    history.add(result(0.0, 1))
    history.add(result(5.0, 1))

    assert history.of(1).rows[1] is None
    assert history.of(1).times[0] < history.of(1).times[1] < history.of(1).times[2]


def test_lines_end_at_the_right_edge_and_break_where_the_face_was_away() -> None:
    times = [0.0, 30.0, 59.0, 59.5, 60.0]
    history = FaceHistory(1, times, [(1.0, 0.0), (0.5, 0.5), None, (0.5, 0.5), (0.0, 1.0)])

    html = minute(history, ("anger", "fear"), 60.0)

    (picture,) = re.findall(r"base64,([\w+/=]*)", html)
    drawn = re.findall(r'points="([^"]*)" stroke="(#\w+)"', b64decode(picture).decode())

    assert drawn == [
        ("0.0,0.0 300.0,100.0", "#D55E00"),
        ("595.0,100.0 600.0,200.0", "#D55E00"),
        ("0.0,200.0 300.0,100.0", "#CC79A7"),
        ("595.0,100.0 600.0,0.0", "#CC79A7"),
    ]


def test_rates_are_counted_over_the_last_seconds() -> None:
    rates = Rates()
    for number in range(100):
        rates.came(1)
        rates.went(number / 25, 0.012, fresh=number % 2 == 0)

    numbers = rates.numbers(99 / 25)

    assert numbers.frames_per_second == pytest.approx(25, rel=0.05)
    assert numbers.analysed_per_second == pytest.approx(12.5, rel=0.1)
    assert numbers.latency == pytest.approx(0.012)
    assert (numbers.frames, numbers.dropped) == (100, 0)


def test_frames_that_came_together_are_dropped_but_the_newest() -> None:
    rates = Rates()
    rates.came(4)
    rates.came(1)

    numbers = rates.numbers(0.0, replaced=2, errors=1)

    assert (numbers.frames, numbers.dropped, numbers.errors) == (5, 5, 1)


def test_a_stream_that_stopped_has_no_rate() -> None:
    rates = Rates()
    for number in range(50):
        rates.went(number / 25, 0.01, fresh=True)

    assert rates.numbers(60.0).frames_per_second == 0
