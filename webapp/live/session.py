"""The stream of this visit, kept in the session state."""

import time
from typing import TYPE_CHECKING

import streamlit as st

from core.video import FacesReader
from webapp.inputs import sample_picture
from webapp.live.diagnosis import Connection
from webapp.live.stream import LiveStream

if TYPE_CHECKING:
    from core.predict import Predictor

_STREAM, _MODEL, _SINCE, _PHASE = "live_stream", "live_model", "live_since", "live_phase"


def stream_of(predictor: "Predictor") -> LiveStream:
    """This visit's stream for a checkpoint; made and warmed up where there is none.

    The first frame must not wait: the component gives a stream up, without a word, when a frame
    takes longer than ten seconds.
    """
    if st.session_state.get(_MODEL) is not predictor:
        stream = LiveStream(predictor, FacesReader())
        with st.spinner("Preparing the stream …"):
            stream.warm_up(sample_picture().decoded())
        st.session_state[_STREAM], st.session_state[_MODEL] = stream, predictor
    found: LiveStream = st.session_state[_STREAM]
    return found


def connection_of(
    stream: LiveStream, *, playing: bool, connecting: bool, outside_servers: bool
) -> Connection:
    """What is known of the connection, and for how long it has been so."""
    phase = "playing" if playing else "connecting" if connecting else "idle"
    if st.session_state.get(_PHASE) != phase:
        st.session_state[_PHASE], st.session_state[_SINCE] = phase, time.monotonic()
    return Connection(
        url=st.context.url or "",
        playing=playing,
        seconds=None if phase == "idle" else time.monotonic() - st.session_state[_SINCE],
        frames=stream.numbers().frames,
        outside_servers=outside_servers,
    )
