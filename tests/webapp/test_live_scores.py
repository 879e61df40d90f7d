"""What a stream leaves behind without a picture: scores over time, marks, shares of time."""

import csv
import io
import time

import numpy as np
import pytest
from live_world import placed

from core.labels import EMOTIONS
from core.types import Box, Detection, Face, FrameResult, LiveFace, Prediction
from webapp.live_camera import score_log
from webapp.live_camera.score_log import ScoreLog

EVEN = np.full(6, 1 / 6)


def seen(key: int, label: str | None, share: float, *, resting: float | None = None) -> LiveFace:
    rest = (1 - share) / 5
    chosen = label or EMOTIONS[0]
    scores = np.array([share if name == chosen else rest for name in EMOTIONS])
    points = placed((50, 50), 40)
    place = Detection(Box(0, 0, 10, 10), 1.0, "made")
    face = Face(place, np.zeros((8, 8, 3), np.uint8), np.eye(2, 3), points)
    return LiveFace(
        key, face, Prediction(EMOTIONS, scores, np.log(scores)), EVEN, label, resting=resting
    )


def frame(moment: float, *faces: LiveFace) -> FrameResult:
    return FrameResult(moment, 320, 240, faces)


def rows_of(log: ScoreLog) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(log.scores().csv())))


def test_the_table_has_a_row_a_face_and_frame_with_marks_between_them() -> None:
    log, start = ScoreLog(EMOTIONS), time.monotonic() - 10
    log.add(frame(start, seen(1, "happiness", 0.75)))
    log.add(frame(start + 0.5))
    log.mark("clip begins")
    log.add(frame(start + 20, seen(1, None, 0.2), seen(2, "fear", 0.5, resting=1.0)))

    rows = rows_of(log)

    assert list(rows[0]) == ["time", "clock", "face", *EMOTIONS, "label", "relative", "event"]
    assert [row["face"] for row in rows] == ["1", "", "", "1", "2"]
    assert [row["label"] for row in rows] == ["happiness", "", "", "unclear", "fear"]
    assert [row["event"] for row in rows] == ["", "", "clip begins", "", ""]
    assert [row["relative"] for row in rows] == ["0", "", "", "0", "1"]
    assert float(rows[0]["happiness"]) == pytest.approx(0.75)
    assert [float(row["time"]) for row in rows] == pytest.approx([0, 0.5, 10, 20, 20], abs=0.2)


def test_pauses_between_stop_and_start_are_not_watched() -> None:
    log = ScoreLog(EMOTIONS)
    for moment in (0.0, 0.5, 1.0, 301.0, 301.5):
        log.add(frame(moment, seen(1, "anger", 0.9), seen(2, "fear", 0.5)))
    log.add(frame(302.5))

    assert log.scores().watched == pytest.approx(2.5)
    assert log.scores().seconds == pytest.approx(302.5)


def test_the_clock_is_the_wall_clock_of_the_frame() -> None:
    log = ScoreLog(EMOTIONS)
    log.add(frame(time.monotonic() - 60, seen(1, "anger", 0.9)))

    scores = log.scores()

    assert scores.began == pytest.approx(time.time() - 60, abs=1)
    assert rows_of(log)[0]["clock"].endswith("Z")


def test_shares_are_of_time_and_not_of_frames() -> None:
    log = ScoreLog(EMOTIONS)
    for moment, label in ((0.0, "fear"), (0.1, "fear"), (0.2, "anger"), (0.6, None), (0.8, None)):
        log.add(frame(moment, seen(3, label, 0.9)))

    (face,) = log.scores().faces()

    shares = dict(zip((*EMOTIONS, "unclear"), face.time_shares(), strict=True))
    assert shares["fear"] == pytest.approx(0.25)
    assert shares["anger"] == pytest.approx(0.5)
    assert shares["unclear"] == pytest.approx(0.25)


def test_time_out_of_view_counts_for_no_expression() -> None:
    log = ScoreLog(EMOTIONS)
    for moment in (0.0, 30.0, 30.6):
        log.add(frame(moment, seen(1, "fear" if moment < 1 else "anger", 0.9)))

    (face,) = log.scores().faces()

    assert face.time_shares()[EMOTIONS.index("fear")] == pytest.approx(0.5)


def test_a_mark_before_the_first_frame_and_frames_beyond_the_limit_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(score_log, "MOST_ROWS", 2)
    log = ScoreLog(EMOTIONS)
    log.mark("too early")
    for moment in (0.0, 0.1, 0.2):
        log.add(frame(moment))

    scores = log.scores()
    log.clear()

    assert (len(scores.rows), scores.events, scores.is_full) == (2, (), True)
    assert len(log.scores().rows) == 0


def test_a_name_that_a_spreadsheet_would_compute_is_written_as_a_text() -> None:
    log = ScoreLog(EMOTIONS)
    log.add(frame(time.monotonic()))
    log.mark("=1+1")

    assert rows_of(log)[-1]["event"] == "./=1+1"


def test_lines_are_thinned_and_broken_where_the_face_was_away() -> None:
    log = ScoreLog(EMOTIONS)
    for number in range(100):
        away = 10.0 if number >= 50 else 0.0
        log.add(frame(number / 10 + away, seen(1, "fear", 0.9)))

    times, shares = log.scores().faces()[0].drawn(20)

    broken = np.isnan(shares[:, 0])
    assert broken.sum() == 1
    assert times[broken] == pytest.approx(4.9)
    assert len(times) <= 23
    assert (times[0], times[-1]) == pytest.approx((0.0, 19.9))
