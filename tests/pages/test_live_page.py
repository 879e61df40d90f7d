"""The live page with a stand-in for the WebRTC component, which AppTest cannot draw."""

import os
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
from clips import face_frame
from coroutines import completed
from streamlit.testing.v1 import AppTest

from core.types import Image
from webapp.live_camera.stream import LiveStream

PAGE = "../pages/live_camera.py"
Made = Callable[..., Path]


class Component:
    """Stands for the browser's part: records what the page asks for and says what it is told."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.playing = False
        self.signalling = False

    def __call__(self, **options: Any) -> Any:  # noqa: ANN401 - the component's context
        self.asked = options
        state = SimpleNamespace(playing=self.playing, signalling=self.signalling)
        return SimpleNamespace(state=state, _get_worker=lambda: None)

    def send(self, image: Image) -> Image:
        """Give the page's callback a frame; what comes back."""
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        frame.pts, frame.time_base = 0, Fraction(1, 90000)
        (answer,) = completed(self.asked["queued_video_frames_callback"]([frame]))
        return np.asarray(answer.to_ndarray(format="rgb24"), np.uint8)


@pytest.fixture
def component(monkeypatch: pytest.MonkeyPatch) -> Component:
    stand_in = Component()
    monkeypatch.setattr("streamlit_webrtc.webrtc_streamer", stand_in)
    return stand_in


@pytest.fixture
def opened(app: AppTest, made_checkpoint: Made, component: Component) -> AppTest:
    """The page with one checkpoint: surprise at 90 %, and a map that follows brightness."""
    made_checkpoint(share=0.9, weight=1.0)
    return app.run().switch_page(PAGE).run()


def playing(app: AppTest, component: Component, image: Image) -> AppTest:
    """The page while the stream runs and has seen this picture."""
    component.playing = True
    app.run()
    component.send(image)
    until(lambda: stream_of(app).history.newest() is not None)
    return app.run()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def rest(app: AppTest, component: Component) -> None:
    """Hold still until the resting face is taken."""

    def taken() -> bool:
        component.send(face_frame())
        newest = stream_of(app).history.newest()
        return newest is not None and newest.faces[0].resting == 1

    until(taken)
    app.run()


def stream_of(app: AppTest) -> LiveStream:
    stream: LiveStream = app.session_state["live_stream"]
    return stream


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for elements in kinds for element in elements)


def drawings(app: AppTest) -> list[str]:
    """What moves beside the picture."""
    bodies = [element.proto.body for element in app.get("html")]
    return [name for body in bodies for name in ("probability-bars", "live-minute") if name in body]


def test_before_it_starts_the_page_says_what_to_do_and_what_people_must_know(
    opened: AppTest, component: Component
) -> None:
    assert not opened.exception
    assert "Everyone in view must know and agree" in texts(opened)
    assert "no picture is kept unless you press Record" in texts(opened)
    assert "Press **START**" in texts(opened)
    assert component.asked["rtc_configuration"] == {"iceServers": []}
    assert component.asked["media_stream_constraints"]["audio"] is False
    assert component.asked["async_processing"] is True


def test_a_face_in_view_has_numbers_bars_and_a_minute(
    opened: AppTest, component: Component
) -> None:
    playing(opened, component, face_frame())

    assert not opened.exception
    assert "**Surprise, 9" in texts(opened)
    assert [metric.label for metric in opened.metric] == [
        "Frames a second",
        "Analysed a second",
        "Delay in the app",
        "Dropped",
    ]
    assert drawings(opened) == ["probability-bars", "live-minute"]


def test_without_a_face_the_page_says_so(opened: AppTest, component: Component) -> None:
    playing(opened, component, np.full((480, 640, 3), 110, np.uint8))

    assert "No face is in view" in texts(opened)
    assert drawings(opened) == []


def test_switches_act_on_the_next_frame(opened: AppTest, component: Component) -> None:
    playing(opened, component, face_frame())
    for key in ("live_map", "live_boxes", "live_points", "live_bars"):
        opened.toggle(key=key).set_value(False)
    opened.toggle(key="live_mirror").set_value(False).run()

    image = face_frame()
    plain = component.send(image)
    opened.toggle(key="live_mirror").set_value(True).run()
    mirrored = component.send(image)

    assert np.abs(plain.astype(int) - image).max() <= 8
    assert np.abs(mirrored.astype(int) - cv2.flip(image, 1)).max() <= 8


def test_sliders_and_choices_reach_the_pipeline(opened: AppTest) -> None:
    opened.slider(key="live_smoothing").set_value(0)
    opened.slider(key="live_every").set_value(9)
    opened.slider(key="live_opacity").set_value(80)
    opened.selectbox(key="live_method").set_value("none")
    opened.selectbox(key="live_target").set_value("fear")
    opened.radio(key="live_refresh").set_value("every 5th frame, as in the paper").run()

    view = stream_of(opened).view
    assert not opened.exception
    assert (view.pipeline.smoothing, view.pipeline.detect_every) == (0, 9)
    assert (view.pipeline.method, view.pipeline.label_every) == (None, 5)
    assert (view.drawing.opacity, view.drawing.target) == (0.8, "fear")


def test_a_recording_is_offered_for_download_and_discarded(
    opened: AppTest, component: Component
) -> None:
    playing(opened, component, face_frame())
    opened.button(key="record").click().run()
    for _ in range(4):
        component.send(face_frame())
    opened.button(key="stop_record").click().run()

    recorder = stream_of(opened).recorder
    assert recorder is not None
    recording = recorder.finished()
    assert recording is not None
    assert recording.frames == 4
    assert "Recorded: " in texts(opened)
    assert len(opened.get("download_button")) == 2

    opened.button(key="discard").click().run()

    assert not recording.video.exists()
    assert len(opened.get("download_button")) == 0


def test_a_recording_that_could_not_be_written_is_not_called_empty(
    opened: AppTest, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    playing(opened, component, face_frame())
    monkeypatch.setattr("webapp.live_camera.recorder.open_table", full)
    opened.button(key="record").click().run()
    component.send(face_frame())
    opened.button(key="stop_record").click().run()

    assert "The recording broke off after 0 s and could not be kept" in opened.error[0].value


def test_a_network_loaded_again_goes_on_with_scores_ids_and_recording(
    opened: AppTest, component: Component, own_runs: Path
) -> None:
    playing(opened, component, face_frame())
    opened.button(key="record").click().run()
    component.send(face_frame())
    stream, before = stream_of(opened), opened.session_state["live_model"]
    (folder,) = own_runs.iterdir()

    os.utime(folder / "card.json")  # as a measurement of the network renews its files
    opened.run()

    assert opened.session_state["live_model"] is not before
    assert stream_of(opened) is stream
    assert not stream.log.is_empty
    assert stream.recorder is not None and stream.recorder.running  # noqa: PT018 - for mypy


def test_a_recording_outlives_the_choice_of_another_network(
    opened: AppTest, component: Component, made_checkpoint: Made
) -> None:
    made_checkpoint("another", share=0.7)
    playing(opened, component, face_frame())
    opened.button(key="record").click().run()
    component.send(face_frame())
    before = stream_of(opened)

    opened.selectbox(key="checkpoint").set_value("another").run()
    component.playing = False
    opened.run()

    assert stream_of(opened) is not before
    assert stream_of(opened).log.is_empty
    assert "Recorded: " in texts(opened)
    assert len(opened.get("download_button")) == 2


def test_marks_are_set_while_the_stream_runs_and_a_summary_follows_its_end(
    opened: AppTest, component: Component
) -> None:
    playing(opened, component, face_frame())
    opened.text_input(key="event name").set_value("clip 1").run()
    opened.button(key="mark").click().run()
    assert "1 event, the last at" in texts(opened)
    assert opened.button(key="mark").proto.shortcut == "m"
    component.send(face_frame())
    component.playing = False

    opened.run()

    assert not opened.exception
    assert "1 face, 1 event" in texts(opened)
    table = opened.dataframe[0].value
    shares = dict(zip(table["expression"], table["share of time"], strict=True))
    assert shares["surprise"] == 100
    assert table["mean score"].max() > 85
    scores = stream_of(opened).log.scores()
    assert [event.name for event in scores.events] == ["clip 1"]
    assert len(opened.get("download_button")) == 1

    opened.button(key="forget_scores").click().run()

    assert stream_of(opened).log.is_empty
    assert len(opened.get("plotly_chart")) == 0


def test_percentages_stand_beside_the_picture_and_not_in_it(
    opened: AppTest, component: Component
) -> None:
    assert not stream_of(opened).view.drawing.bars

    opened.toggle(key="live_bars").set_value(True).run()

    assert stream_of(opened).view.drawing.bars


def test_the_resting_face_is_taken_and_forgotten(opened: AppTest, component: Component) -> None:
    playing(opened, component, face_frame())
    opened.button(key="rest").click().run()
    component.send(face_frame())
    opened.run()

    newest = stream_of(opened).history.newest()
    assert newest is not None
    assert newest.faces[0].resting is not None
    assert opened.button(key="rest").disabled

    rest(opened, component)
    assert "relative to the resting face" in texts(opened)
    opened.button(key="forget_rest").click().run()
    component.send(face_frame())

    newest = stream_of(opened).history.newest()
    assert newest is not None
    assert newest.faces[0].resting is None


def test_a_connection_that_does_not_come_about_is_explained(
    opened: AppTest, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.live_camera.connection.WAIT", 0.0)
    component.signalling = True

    opened.run()

    assert "Has the browser asked for the camera?" in texts(opened)
    assert "Single picture" in texts(opened)


def test_servers_set_wrongly_are_named(
    app: AppTest, made_checkpoint: Made, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_checkpoint()
    monkeypatch.setenv("GIMEFIVE_ICE_SERVERS", "turn:example.org")

    app.run().switch_page(PAGE).run()

    assert r"GIMEFIVE\_ICE\_SERVERS is no JSON" in app.error[0].value
    assert component.asked == {}


def test_without_a_checkpoint_the_page_says_which_is_missing(
    app: AppTest, component: Component
) -> None:
    app.run().switch_page(PAGE).run()

    assert not app.exception
    assert "no checkpoint" in app.error[0].value
    assert component.asked == {}


def test_a_single_picture_works_without_a_connection(
    opened: AppTest, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = cv2.imencode(".png", face_frame()[:, :, ::-1])[1].tobytes()
    taken = SimpleNamespace(getvalue=lambda: content)
    monkeypatch.setattr("streamlit.camera_input", lambda *_, **__: taken)

    opened.button_group(key="mode").set_value("Single picture").run()

    assert not opened.exception
    assert "1 face." in texts(opened)
    assert len(opened.get("image")) == 1
