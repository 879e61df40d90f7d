"""The stream's callback, fed with frames as WebRTC gives them, without any browser."""

import gc
import logging
import threading
import time
import weakref
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from coroutines import completed
from live_world import WIDTH, Person, World
from numpy.typing import NDArray

from core.drawing import Style
from core.types import Image
from core.video import PipelineSettings
from core.video.protocols import Points
from webapp.live_camera.stream import LiveStream, View

PLAIN = Style(overlay=False, landmarks=False, bars=False)


def incoming(image: Image, number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
    return frame


def answer(stream: LiveStream, *frames: av.VideoFrame) -> av.VideoFrame:
    (returned,) = completed(stream.handle(list(frames)))
    return returned


def pixels(frame: av.VideoFrame) -> NDArray[np.int64]:
    return frame.to_ndarray(format="rgb24").astype(np.int64)


def made(world: World, view: View | None = None) -> LiveStream:
    stream = LiveStream(world, world)
    stream.view = view or View(drawing=PLAIN, mirror=False)
    return stream


def test_a_frame_comes_back_with_its_face_framed() -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)
    sent = incoming(world.frame(), 7)

    returned = answer(stream, sent)

    changed = np.abs(pixels(returned) - pixels(sent)).max(axis=2) > 60
    assert changed[100:140, 120:130].any()  # the left edge of the box
    assert not changed[:, :90].any()
    assert (returned.pts, returned.time_base) == (sent.pts, sent.time_base)
    newest = stream.history.newest()
    assert newest is not None
    assert newest.faces[0].label == "happiness"


def test_the_mirror_turns_the_picture_but_not_the_writing() -> None:
    world = World([Person(1, 80, 120)])
    image = world.frame()
    world.people[0].x = WIDTH - 80  # where the mirrored face is

    plain = pixels(answer(made(world, View(drawing=PLAIN, mirror=True)), incoming(image)))

    assert plain[120, 240].sum() > 150  # the face is on the right now
    assert plain[120, 80].sum() < 100


def test_settings_act_on_the_next_frame() -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)
    answer(stream, incoming(world.frame()))

    nothing = replace(PLAIN, boxes=False)
    stream.view = View(PipelineSettings(method=None), nothing, mirror=False)
    sent = incoming(world.frame())
    returned = answer(stream, sent)

    assert np.abs(pixels(returned) - pixels(sent)).max() < 40  # nothing drawn; colours rounded


def test_frames_that_waited_are_left_out_and_counted() -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)
    frames = [incoming(world.frame(), number) for number in range(5)]

    returned = answer(stream, *frames)

    assert returned.pts == frames[-1].pts
    assert stream.numbers().frames == 5
    assert stream.numbers().dropped == 4


def test_the_numbers_of_a_stream_end_with_it() -> None:
    class Broken(World):
        def landmarks(self, image: Image, detection: object) -> Points:
            raise RuntimeError("no landmarks today")

    world = Broken([Person(1, 160, 120)])
    stream = made(world)
    answer(stream, *[incoming(world.frame(), number) for number in range(5)])
    before = stream.numbers()

    stream.end()
    after = stream.numbers()

    assert (before.frames, before.dropped, before.errors) == (5, 4, 1)
    assert (after.frames, after.dropped, after.errors) == (0, 0, 0)


def test_an_analysis_that_breaks_leaves_the_stream_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(World):
        def landmarks(self, image: Image, detection: object) -> Points:
            raise RuntimeError("no landmarks today")

    world = Broken([Person(1, 160, 120)])
    stream = made(world)

    first = answer(stream, incoming(world.frame(), 1))
    second = answer(stream, incoming(world.frame(), 2))

    assert (first.pts, second.pts) == (3000, 6000)
    assert stream.numbers().errors == 2
    assert "no landmarks today" in caplog.text


def test_an_error_in_drawing_sends_the_frame_back_as_it_came(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)

    def broken(*_: object) -> Image:
        raise RuntimeError("no paint")

    monkeypatch.setattr("webapp.live_camera.stream.annotate_frame", broken)
    sent = incoming(world.frame())

    assert answer(stream, sent) is sent
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_slow_analysis_does_not_slow_the_picture() -> None:
    class Slow(World):
        def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
            time.sleep(0.4)
            return super().crop(image, landmarks)

    world = Slow([Person(1, 160, 120)])
    stream = made(world)
    spent = []
    for number in range(12):
        start = time.monotonic()
        answer(stream, incoming(world.frame(), number))
        spent.append(time.monotonic() - start)

    assert float(np.median(spent)) < 0.25
    assert stream.numbers().dropped > 3


def test_the_delay_does_not_grow_and_nothing_piles_up() -> None:
    analysed: list[weakref.ref[Image]] = []

    class Slow(World):
        def crop(self, image: Image, landmarks: Points) -> tuple[Image, NDArray[np.float64]]:
            analysed.append(weakref.ref(image))
            time.sleep(0.06)
            return super().crop(image, landmarks)

    world = Slow([Person(1, 160, 120)])
    stream = made(world)
    ages = []
    for number in range(40):
        answer(stream, incoming(world.frame(), number))
        newest = stream.history.newest()
        if newest is not None:
            ages.append(time.monotonic() - newest.time)
    gc.collect()
    kept = sum(image() is not None for image in analysed)

    assert float(np.median(ages[-10:])) < float(np.median(ages[:10])) + 0.15
    assert len(analysed) > 10
    assert kept <= 2


def test_two_streams_have_their_own_faces() -> None:
    one, other = World([Person(1, 160, 120)]), World()
    streams = made(one), made(other)

    threads = [
        threading.Thread(target=answer, args=(stream, incoming(world.frame())))
        for stream, world in zip(streams, (one, other), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    newest = [stream.history.newest() for stream in streams]
    assert [len(result.faces) for result in newest if result is not None] == [1, 0]


def test_warming_up_leaves_no_face_behind() -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)
    stream.warm_up(world.frame())

    world.people.clear()
    answer(stream, incoming(world.frame()))

    newest = stream.history.newest()
    assert newest is not None
    assert newest.faces == ()


def test_the_resting_face_reaches_the_pipeline() -> None:
    world = World([Person(1, 160, 120)])
    stream = made(world)
    answer(stream, incoming(world.frame()))

    stream.set_resting_face(active=True)
    answer(stream, incoming(world.frame()))

    newest = stream.history.newest()
    assert newest is not None
    assert newest.faces[0].resting is not None
