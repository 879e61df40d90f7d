"""What would raters call the expression in front of the camera, frame by frame?"""

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from core import CoreError
from core.video import CoreFaceFinder
from webapp import checkpoints, widgets
from webapp.errors import sentence, shown_errors
from webapp.live_camera import panel
from webapp.live_camera.connection import give_up_unanswered, ice_servers
from webapp.live_camera.controls import drawing_controls, pipeline_controls
from webapp.live_camera.panel import show_snapshot
from webapp.live_camera.stream import View, connection_of, stream_of
from webapp.text import literal

STREAM, SNAPSHOT = "Live stream", "Single picture"
CAMERA = {
    "video": {
        "width": {"ideal": 640},
        "height": {"ideal": 480},
        "frameRate": {"ideal": 25, "max": 30},
    },
    "audio": False,
}

st.title("Live camera")
st.caption(
    "See what a network calls the expressions in front of your camera, as they change. Every face "
    "in view gets a score for each expression: how likely raters would name it so. The map shows "
    "which places of the face speak for the name."
)
st.info(
    "**Everyone in view must know and agree.** Frames go from your browser to the computer that "
    "runs this app and back; no picture is kept unless you press Record, and the scores only as "
    "numbers for your visit. Numbers on faces follow a face while it is in view; nobody is "
    "recognised.",
)

checkpoint = widgets.checkpoint_picker()
view = View(
    pipeline=pipeline_controls(),
    drawing=drawing_controls(checkpoints.labels(checkpoint)),
    mirror=st.sidebar.toggle("Mirror", True, key="live_mirror", persist_state="session"),
)
if checkpoint is None:
    st.stop()
model = widgets.loaded(checkpoint)
if model is None:
    st.stop()

mode = st.segmented_control(
    "Camera", (STREAM, SNAPSHOT), default=STREAM, required=True, key="mode",
    label_visibility="collapsed",
)  # fmt: skip
if mode == SNAPSHOT:
    with shown_errors():
        show_snapshot(model, CoreFaceFinder(), view)
    st.stop()

try:
    servers = ice_servers()
except CoreError as error:
    st.error(literal(sentence(error)))
    st.stop()
stream = stream_of(model)
stream.view = view

picture, beside = st.columns([3, 2], gap="medium")
with picture:
    context = webrtc_streamer(
        key="live",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers},
        media_stream_constraints=CAMERA,
        queued_video_frames_callback=stream.handle,
        on_video_ended=stream.end,
        async_processing=True,
    )
give_up_unanswered(context)
playing = context.state.playing
connecting = context.state.signalling and not playing
every = panel.REFRESH if playing or connecting else None


@st.fragment(run_every=every)
def below_the_picture() -> None:
    """Marks, resting face and recorder; advice where no picture comes; the summary after STOP."""
    if not (playing or connecting):
        st.caption(
            "Press **START** and allow the camera. **SELECT DEVICE** chooses another one. Where "
            "the browser answers with an error, as *not found*, no camera is connected, another "
            "program holds it, or this page may not use it: see to that and press START again."
        )
    panel.show_advice(
        connection_of(stream, playing=playing, connecting=connecting, outside_servers=bool(servers))
    )
    if playing:
        panel.score_controls(stream)
        panel.rest_controls(stream)
    if playing or stream.recorder is not None:
        panel.recorder_controls(stream, playing=playing)


@st.fragment(run_every=every)
def beside_the_picture() -> None:
    """Bars and numbers that move while the picture does."""
    if playing:
        panel.show_faces(stream)
        panel.show_numbers(stream)


with picture:
    if not (playing or connecting):
        st.html(panel.LARGE_START)
    below_the_picture()
with beside:
    beside_the_picture()
if not playing and not stream.log.is_empty:
    panel.show_summary(stream)
