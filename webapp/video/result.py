"""What came of one video: the annotated copy, a frame at a time, the timeline, files to take."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.video import ANNOTATED, SUMMARY, TABLE, VideoReader
from webapp.charts.timeline import face_timeline
from webapp.errors import shown_errors
from webapp.live.drawings import bars
from webapp.text import counted, literal
from webapp.video.numbers import FaceNumbers
from webapp.video.watching import duration

MOMENT, FACE, CHART = "video_moment", "video_face", "video_chart"
FIGURE_WIDTH = 140  # px
PLAYABLE = 300  # MB; larger copies are for download only, they would fill the server's memory
_MOST_FACES = 12  # in the choice of faces; the table names all


def show_result(folder: Path) -> None:
    """Draw everything about the video analysed into this folder."""
    report: dict[str, Any] = json.loads((folder / SUMMARY).read_text())
    annotated = folder / ANNOTATED
    if report["status"] == "stopped":
        st.warning(f"Cancelled: these are the first {duration(report['seconds'])} of the video.")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _player(annotated)
    with right:
        _figures(report)
        _downloads(folder, annotated)
    if report["faces"]:
        numbers = _numbers(str(folder / TABLE), (folder / TABLE).stat().st_mtime)
        _over_time(report, numbers, annotated)
        _summary(report, numbers.labels)
    else:
        st.info(
            f"No face was found in any of the {counted(report['frames'], 'frame')}. Faces are "
            "found when they look at the camera, about upright, and are not too small."
        )
    for note in report["notes"]:
        st.caption(literal(note))
    st.caption(report["caveat"])


@st.cache_data(max_entries=4, show_spinner=False)
def _numbers(path: str, modified: float) -> FaceNumbers:
    return FaceNumbers.read(Path(path))


def _figures(report: dict[str, Any]) -> None:
    figures = {
        "Length": duration(report["seconds"]),
        "Faces": f"{len(report['faces']):,}",
        "Frames": f"{report['frames']:,}",
        "Without a face": f"{report['frames_without_face']:,}",
    }
    with st.container(horizontal=True):  # columns would fill a phone's screen with four numbers
        for title, figure in figures.items():
            st.metric(title, figure, width=FIGURE_WIDTH)
    st.caption(
        f"Analysed in {duration(report['elapsed'])}, {report['times_real_time']:.1f} times as fast "
        "as it plays."
    )


def _player(annotated: Path) -> None:
    if not annotated.exists():
        st.caption("No annotated copy was asked for.")
    elif annotated.stat().st_size > PLAYABLE * 2**20:
        st.caption(f"The annotated copy is larger than {PLAYABLE} MB: download it to play it.")
    else:
        st.video(str(annotated))


@st.fragment
def _over_time(report: dict[str, Any], numbers: FaceNumbers, annotated: Path) -> None:
    """The timeline, and the picture of the moment chosen in it."""
    st.subheader("Over time")
    last, first_seen = float(numbers.times[-1]), float(report["faces"][0]["first"])
    moment = min(float(st.session_state.setdefault(MOMENT, first_seen)), last)
    st.session_state[MOMENT] = moment
    face = _face_choice(report)
    times, shares = numbers.timeline(face)
    st.plotly_chart(
        face_timeline(times, shares, numbers.labels, numbers.nearest(moment), f"face {face}"),
        key=CHART,
        on_select=_clicked,
        selection_mode="points",
        config={"displayModeBar": False},
    )
    if last > 0:
        step = 1 / max(report["source"]["rate"], 1)
        moment = st.slider(
            "Moment, in seconds; a click on a line chooses it, too",
            0.0, last, step=step, key=MOMENT, format="%.2f",
        )  # fmt: skip
    _moment(numbers, moment, annotated)


def _clicked() -> None:
    """Turn to the moment of the point that was clicked."""
    points = st.session_state[CHART]["selection"]["points"]
    if points:
        st.session_state[MOMENT] = float(points[0]["x"])


def _face_choice(report: dict[str, Any]) -> int:
    faces = report["faces"][:_MOST_FACES]
    if len(faces) == 1:
        return int(faces[0]["face"])
    shown = {int(face["face"]): face["frames"] for face in faces}
    chosen: int = st.selectbox(
        "Face",
        list(shown),
        format_func=lambda key: f"Face {key}, in {counted(shown[key], 'frame')}",
        key=FACE,
        width=280,
    )
    return chosen


def _moment(numbers: FaceNumbers, moment: float, annotated: Path) -> None:
    """The picture shown at a moment and the numbers of every face in it."""
    exact = numbers.nearest(moment)
    picture, beside = st.columns([3, 2], gap="medium")
    with picture:
        if annotated.exists():
            with shown_errors(), VideoReader(annotated) as video:
                st.image(video.frame_at(exact), width="stretch")
        st.caption(f"The frame at {exact:.2f} s.")
    with beside:
        faces = numbers.at(exact)
        if not faces:
            st.caption("No face in this frame.")
        for face, label, prediction in faces:
            st.markdown(f"**{f'Face {face}: ' if len(faces) > 1 else ''}{label}**")
            st.html(bars(prediction))


def _summary(report: dict[str, Any], labels: tuple[str, ...]) -> None:
    st.markdown("**Each face as a whole**")
    rows = []
    for face in report["faces"]:
        label, share = next(iter(face["labels"].items()))
        rows.append(
            {
                "face": face["face"],
                "from, s": face["first"],
                "to, s": face["last"],
                "frames": face["frames"],
                "named most": f"{label}, {100 * share:.0f} % of its frames",
                "changes": face["label_changes"],
                **face["mean_probabilities"],
            }
        )
    seconds = st.column_config.NumberColumn(format="%.1f")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "from, s": seconds,
            "to, s": seconds,
            "changes": st.column_config.NumberColumn(help="How often the name above it changed."),
            **{
                label: st.column_config.ProgressColumn(
                    label, help="Mean probability.", format="percent", min_value=0.0, max_value=1.0
                )
                for label in labels
            },
        },
    )


def _downloads(folder: Path, annotated: Path) -> None:
    files = (
        ("Annotated video (MP4)", annotated, "video/mp4"),
        ("Numbers of every frame (CSV)", folder / TABLE, "text/csv"),
        ("Summary (JSON)", folder / SUMMARY, "application/json"),
    )
    for title, path, kind in files:
        if path.exists():
            st.download_button(
                title, path.read_bytes, path.name, kind,
                key=f"get {path.name}", on_click="ignore", width="stretch",
            )  # fmt: skip
