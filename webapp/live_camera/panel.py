"""What stands beside the live picture, and the single picture where there is no stream."""

import time
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from core import Image
from core.drawing import NO_EVIDENCE, ONLY_AGAINST, UNCLEAR, annotate_frame
from core.types import FrameResult, LiveFace
from core.video import FaceFinder, FrameModel, Pipeline
from webapp.charts.bars import probability_bars
from webapp.charts.timeline import face_timeline
from webapp.inputs import Picture
from webapp.live_camera.connection import Connection, advice, has_network
from webapp.live_camera.history import minute
from webapp.live_camera.recorder import LONGEST, Recorder
from webapp.live_camera.score_log import FaceScores, Scores
from webapp.live_camera.stream import LiveStream, View
from webapp.text import counted, percent
from webapp.waiting import room_for

REFRESH = 1.0  # seconds between two looks at the stream; each costs as much as analysing a frame
MOST_CARDS = 4  # faces with bars and a chart of their own; all are drawn in the picture
_STALE = 1.5  # seconds after which the last result is no longer news
MOST_POINTS = 2000  # of a timeline; a browser draws more too slowly
EVENT_NAME = "event name"
# The component's own button is small; its frame is enlarged until there is a picture in it.
LARGE_START = """<style>
iframe[title*="webrtc_streamer"] {zoom: 1.4; width: 100% !important; min-height: 148px;}
</style>"""
SINGLE = 0.0  # a single picture has no past to smooth with


def show_numbers(stream: LiveStream) -> None:
    """Frames a second, delay, dropped frames; and whatever goes wrong."""
    numbers = stream.numbers()
    first, second = st.columns(2), st.columns(2)
    first[0].metric("Frames a second", f"{numbers.frames_per_second:.0f}")
    first[1].metric(
        "Analysed a second",
        f"{numbers.analysed_per_second:.0f}",
        help="Frames shown with an analysis of their own.",
    )
    second[0].metric(
        "Delay in the app",
        f"{1000 * numbers.latency:.0f} ms",
        help="From a frame's arrival to its return, median; the network comes on top.",
    )
    second[1].metric(
        "Dropped",
        f"{numbers.dropped:,}",
        help=f"Of {counted(numbers.frames, 'frame')} received. When the machine is slow, frames "
        "are left out, so that the delay does not grow.",
    )
    if numbers.errors:
        st.warning(
            f"{counted(numbers.errors, 'frame')} could not be analysed; the reason is in the "
            "app's log. The stream goes on."
        )
    newest = stream.history.newest()
    for note in newest.notes if newest else ():
        st.caption(note)


def show_faces(stream: LiveStream) -> None:
    """Bars and the last minute of the largest faces."""
    newest = stream.history.newest()
    if newest is None:
        st.caption("No picture has been analysed yet.")
        return
    if (silent := time.monotonic() - newest.time) > _STALE:
        st.caption(f"No new picture for {silent:.0f} s.")
        return
    if not newest.faces:
        st.caption("No face is in view. Look at the camera, upright, in even light.")
        return
    # By id, so that cards do not change places when faces change size.
    shown = sorted(newest.faces[:MOST_CARDS], key=lambda face: face.id)
    for face in shown:
        _face(stream, face, newest.time, numbered=len(shown) > 1)
    rest = len(newest.faces) - len(shown)
    if rest:
        st.caption(f"{counted(rest, 'smaller face')} in the picture only.")


def _face(stream: LiveStream, face: LiveFace, now: float, *, numbered: bool) -> None:
    said = UNCLEAR if face.label is None else f"{face.label}, {percent(face.shown_probability)}"
    with st.container(border=True):
        st.markdown(f"**Face {face.id}: {said}**" if numbered else f"**{said.capitalize()}**")
        if face.resting is not None and face.resting < 1:
            st.progress(face.resting, text="Hold a resting face …")
        elif face.resting is not None:
            st.caption("Relative to the resting face, not probabilities.")
        st.html(probability_bars(face.prediction.labels, face.prediction.probabilities))
        st.html(minute(stream.history.of(face.id), stream.labels, now))
        explained, label = face.explanation, face.label
        if explained is not None and label and explained.is_blank(label):
            st.caption(f"Its map is blank: {NO_EVIDENCE} for {label} in this frame.")
        elif explained is not None and label and explained.speaks_only_against(label):
            st.caption(f"Its map shows {ONLY_AGAINST} {label} in this frame.")


def score_controls(stream: LiveStream) -> None:
    """Mark a moment in the table of scores, by a button or a key, and see what was marked."""
    name, mark, said = st.columns([3, 2, 3], vertical_alignment="bottom")
    name.text_input(
        "Name of the next event", "event", key=EVENT_NAME, max_chars=60,
        help="For example what is shown to the person: it stands in the table at its second.",
    )  # fmt: skip
    mark.button(
        "Mark it", key="mark", shortcut="m", on_click=_mark, args=(stream,), width="stretch"
    )
    marks = stream.log.marks()
    said.caption(
        f"{counted(len(marks), 'event')}, the last at {marks[-1].time:.1f} s."
        if marks
        else "The scores are kept as numbers while you are here, for a table after STOP."
    )


def _mark(stream: LiveStream) -> None:
    stream.log.mark(str(st.session_state[EVENT_NAME]).strip() or "event")


def rest_controls(stream: LiveStream) -> None:
    """Take a personal baseline, or forget it."""
    newest = stream.history.newest()
    taken = {face.resting for face in newest.faces} if newest else set()
    words, take = st.columns([5, 3], vertical_alignment="center")
    if 1 in taken:
        words.caption(
            "Scores are now **relative to the resting face**: all equal means as at rest. They are "
            "no longer how likely raters would choose a name, and do not compare between people."
        )
        if take.button("Forget the resting face", key="forget_rest", width="stretch"):
            stream.set_resting_face(active=False)
        return
    words.caption(
        "Some faces look sad or angry to a network when they are at rest. Look neutral for three "
        "seconds, and from then on scores show the change from that."
    )
    under_way = bool(taken - {None})
    if take.button("Take my resting face, 3 s", key="rest", width="stretch", disabled=under_way):
        stream.set_resting_face(active=True)


def show_summary(stream: LiveStream) -> None:
    """After STOP: the scores over time, shares of time and events, and the table to take away."""
    scores = stream.log.scores()
    faces = scores.faces()
    st.subheader("What was seen")
    found = [f"{scores.watched:,.0f} s", counted(len(faces), "face")]
    st.markdown(f"**{', '.join([*found, counted(len(scores.events), 'event')])}**")
    if scores.is_full:
        st.warning(f"The table is full: what came after {scores.seconds:,.0f} s is not in it.")
    if faces:
        _face_summary(scores, faces)
    else:
        st.caption("No face was in view.")
    take, forget = st.columns(2)
    take.download_button(
        "Scores over time (CSV)", scores.csv, "scores.csv", "text/csv", type="primary",
        key="get_scores", on_click="ignore", width="stretch",
        help="A row a face and frame with its second, the time of day (UTC) and a score for each "
        "expression, and a row for each event. No picture is in it.",
    )  # fmt: skip
    forget.button("Forget the scores", key="forget_scores", on_click=stream.log.clear,
                  width="stretch")  # fmt: skip
    st.caption(
        "Another START goes on with this table. It is only in the memory of the computer that "
        "runs the app, until you forget it, choose another network or leave."
    )


def _face_summary(scores: Scores, faces: list[FaceScores]) -> None:
    by_id = {face.id: face for face in faces}
    chosen = faces[0].id
    if len(faces) > 1:
        chosen = st.selectbox(
            "Face, longest in view first", list(by_id), format_func=lambda key: f"Face {key}"
        )
    face = by_id[chosen]
    times, shares = face.drawn(MOST_POINTS)
    events = [(event.time, event.name) for event in scores.events]
    chart, table = st.columns([3, 2], gap="medium")
    chart.plotly_chart(
        face_timeline(times, shares, scores.labels, None, f"face {face.id}", events),
        key=f"timeline {face.id}",
        config={"displayModeBar": False},
    )
    *named, unclear = face.time_shares()
    percents = st.column_config.NumberColumn
    table.dataframe(
        pd.DataFrame(
            {
                "expression": scores.labels,
                "share of time": 100 * np.array(named),
                "mean score": 100 * face.shares.mean(axis=0),
            }
        ),
        hide_index=True,
        column_config={
            "share of time": percents(
                format="%.1f %%", help="Of its time in view, how long this name was shown."
            ),
            "mean score": percents(format="%.1f %%"),
        },
    )
    notes = [f"Unclear for {percent(unclear)} of its time in view."] if unclear else []
    if face.relative.any():
        seconds = face.lasting()
        notes.append(
            f"For {seconds[face.relative].sum():.1f} of its {seconds.sum():.1f} s in view, scores "
            "are relative to the resting face"
            + (": shares and means mix both kinds." if not face.relative.all() else ".")
        )
    table.caption(" ".join(notes))


def recorder_controls(stream: LiveStream, *, playing: bool) -> None:
    """Record on demand; no picture is kept otherwise. STOP ends a recording, too."""
    recorder = stream.recorder
    if playing:
        _record_buttons(stream, recorder)
    elif recorder is not None:
        recorder.stop()
    if recorder is not None and not recorder.running:
        _downloads(stream, recorder)


def _record_buttons(stream: LiveStream, recorder: Recorder | None) -> None:
    recording = recorder is not None and recorder.running
    start, stop, said = st.columns([2, 2, 3], vertical_alignment="center")
    replaces = "It takes the place of the recording below." if recorder is not None else None
    if start.button("Record", key="record", disabled=recording, width="stretch", help=replaces):
        if recorder is not None:
            recorder.discard()
        stream.recorder = Recorder(stream.labels, stream.preprocess)
        st.rerun()
    if stop.button("End recording", key="stop_record", disabled=not recording, width="stretch"):
        if recorder is not None:
            recorder.stop()
        st.rerun()
    if recording and recorder is not None:
        said.markdown(f":red[●] Recording, {recorder.seconds:.0f} s of at most {LONGEST:.0f} s")
    else:
        said.caption("No picture is kept unless you record, and then only for this visit.")


def _downloads(stream: LiveStream, recorder: Recorder) -> None:
    recording = recorder.finished()
    if recording is None:
        if recorder.broke_off:
            st.error(
                f"The recording broke off after {recorder.seconds:.0f} s and could not be kept; "
                "the reason is in the app's log. Free some room on the disk of the machine that "
                "runs the app, and record again."
            )
        else:
            st.caption("The recording holds no frame.")
        return
    left_out = f", {counted(recording.left_out, 'frame')} left out" if recording.left_out else ""
    st.caption(
        f"Recorded: {recording.seconds:.1f} s, {counted(recording.frames, 'frame')}{left_out}."
    )
    room_for(st.container(), recording.shape, "recording").video(recording.video.read_bytes())
    video, table, discard = st.columns(3)
    video.download_button(
        "Annotated video (MP4)", recording.video.read_bytes, "recording.mp4", "video/mp4",
        key="get_video", on_click="ignore", width="stretch",
    )  # fmt: skip
    table.download_button(
        "Numbers (CSV)", recording.table.read_bytes, "recording.csv", "text/csv",
        key="get_table", on_click="ignore", width="stretch",
    )  # fmt: skip
    if discard.button("Discard", key="discard", width="stretch"):
        recorder.discard()
        stream.recorder = None
        st.rerun()


def show_advice(connection: Connection) -> None:
    """Say what to do where no picture comes."""
    for sentence in advice(connection, network=has_network()):
        st.warning(sentence)


def show_snapshot(model: FrameModel, reader: FaceFinder, view: View) -> None:
    """Take a picture with the browser, analyse it like a frame and show it."""
    taken = st.camera_input("Take a picture", key="snapshot", width=640)
    if taken is None:
        return
    image, result = analysed(Picture("camera.jpg", taken.getvalue()).decoded(), model, reader, view)
    preprocess = model.card.preprocess
    drawing = replace(view.drawing, coverage=preprocess.crop / preprocess.size)
    st.image(annotate_frame(image, result, drawing), width="stretch")
    st.caption(
        f"{counted(len(result.faces), 'face')}. For maps of every expression and downloads, use "
        "the page **Image explanation**."
    )


def analysed(
    image: Image, model: FrameModel, reader: FaceFinder, view: View
) -> tuple[Image, FrameResult]:
    """The picture, mirrored if wanted, and what is in it."""
    if view.mirror:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    pipeline = Pipeline(model, reader, replace(view.pipeline, smoothing=SINGLE))
    return image, pipeline.process(image, 0.0)
