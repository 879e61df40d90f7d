import csv
import gc
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_world import Person, World, live_face

from core.labels import EMOTIONS
from core.preprocess import Preprocess
from core.types import FrameResult, Image
from core.video import VideoReader
from webapp.live_camera import recorder as recording_module
from webapp.live_camera.recorder import Recorder, Recording


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def picture(width: int = 320, height: int = 240) -> Image:
    return np.full((height, width, 3), 90, np.uint8)


def recorded(frames: int, *, width: int = 320, height: int = 240) -> tuple[Recorder, Recording]:
    recorder = Recorder(EMOTIONS, Preprocess())
    for number in range(frames):
        time.sleep(0.02)
        size = (width, height) if number else (320, 240)
        result = FrameResult(number / 25, *size, (live_face(),))
        recorder.add(picture(*size), result, 100 + number / 25)
    recorder.stop()
    finished = recorder.finished()
    assert finished is not None
    return recorder, finished


def test_a_recording_is_a_video_and_a_table() -> None:
    _recorder, recording = recorded(15)

    assert recording.frames + recording.left_out == 15
    with VideoReader(recording.video) as reader:
        assert recording.shape == (reader.info.height, reader.info.width)
        frames = list(reader.frames())
    assert len(frames) == recording.frames
    assert frames[-1].time == pytest.approx(recording.seconds, abs=0.01)
    with recording.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == recording.frames
    assert rows[0]["label"] == "happiness"
    assert float(rows[0]["time"]) == 0
    assert float(rows[0]["share_background"]) >= 0


def test_a_smaller_picture_in_between_is_brought_to_size_with_its_boxes() -> None:
    _recorder, recording = recorded(6, width=160, height=120)

    with VideoReader(recording.video) as reader:
        assert (reader.info.width, reader.info.height) == (320, 240)
    with recording.table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    box = live_face().box
    assert int(rows[0]["left"]) == box.left
    assert int(rows[-1]["left"]) == 2 * box.left


def test_files_go_when_discarded_and_when_the_visit_ends() -> None:
    recorder, recording = recorded(3)
    recorder.discard()
    assert not recording.video.parent.exists()

    recorder, recording = recorded(3)
    assert recording.video.parent.exists()
    del recorder
    gc.collect()
    assert not recording.video.parent.exists()


def test_the_table_says_which_scores_are_relative_to_a_resting_face() -> None:
    recorder = Recorder(EMOTIONS, Preprocess())
    for number, resting in enumerate((None, 0.4, 1.0)):
        faces = (replace(live_face(), resting=resting),)
        recorder.add(picture(), FrameResult(number / 25, 320, 240, faces), number / 25)
    recorder.add(picture(), FrameResult(0.2, 320, 240), 0.2)
    recorder.stop()

    finished = recorder.finished()
    assert finished is not None
    with finished.table.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][-1] == "relative"
    assert [row[-1] for row in rows[1:]] == ["0", "0", "1", ""]
    assert {len(row) for row in rows} == {len(rows[0])}


def test_nothing_came_nothing_recorded() -> None:
    recorder = Recorder(EMOTIONS, Preprocess())
    recorder.stop()

    assert recorder.finished() is None
    recorder.discard()


def test_a_stream_that_ends_ends_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "_SILENCE", 0.1)
    recorder = Recorder(EMOTIONS, Preprocess())
    recorder.add(picture(), FrameResult(0.0, 320, 240), 0.0)

    until(lambda: not recorder.running)

    assert recorder.finished() is not None


def test_a_forgotten_recording_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_module, "LONGEST", 2.0)
    recorder = Recorder(EMOTIONS, Preprocess())
    for number in range(5):
        recorder.add(picture(), FrameResult(0.0, 320, 240), float(number))

    until(lambda: not recorder.running)

    finished = recorder.finished()
    assert finished is not None
    assert finished.seconds == 2.0


def test_a_writer_that_lags_loses_frames_not_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(EMOTIONS, Preprocess())
    for number in range(200):
        recorder.add(picture(), FrameResult(0.0, 320, 240), number / 25)
    recorder.stop()

    finished = recorder.finished()
    assert finished is not None
    assert finished.left_out > 0
    assert finished.frames + finished.left_out == 200


def test_a_broken_disk_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, *_: object, **__: object) -> object:
        raise OSError("No space left on device")

    monkeypatch.setattr(recording_module, "open_table", full)
    recorder = Recorder(EMOTIONS, Preprocess())
    recorder.add(picture(), FrameResult(0.0, 320, 240), 0.0)

    until(lambda: not recorder.running)

    assert recorder.finished() is None
    assert recorder.broke_off
    assert "No space left" in caplog.text
    recorder.stop()


def test_a_recorded_stream_shows_the_drawings() -> None:
    from test_live_stream import answer, incoming, made

    world = World([Person(1, 160, 120)])
    stream = made(world)
    stream.recorder = Recorder(stream.labels, Preprocess())
    for number in range(5):
        answer(stream, incoming(world.frame(), number))
    stream.recorder.stop()
    recording = stream.recorder.finished()

    assert recording is not None
    with VideoReader(recording.video) as reader:
        shown = [frame.image for frame in reader.frames()]
    before = world.frame().astype(int)
    assert (np.abs(shown[-1].astype(int) - before).max(axis=2) > 80).sum() > 200
