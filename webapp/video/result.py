"""What came of a video, and of a folder of films: copy, timeline, numbers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from core import Prediction
from core.video import (
    ANNOTATED,
    BATCH,
    BATCH_TABLE,
    ENDS_EARLY,
    SUMMARY,
    TABLE,
    VideoReader,
)
from webapp import pictures
from webapp.chart_frame import draw_chart, share_columns
from webapp.charts.bars import probability_bars
from webapp.charts.timeline import face_timeline
from webapp.errors import shown_errors
from webapp.text import counted, duration, literal
from webapp.waiting import room_for

MOST_POINTS = 600  # of a line; a screen shows no more
GAP = 1.0  # seconds out of view from which a line is broken
MOMENT, FACE, CHART = "video_moment", "video_face", "video_chart"
FIGURE_WIDTH = 140  # px
PLAYABLE = 300  # MB; larger copies are for download only, they would fill the server's memory
_MOST_FACES = 12  # in the choice of faces; the table names all


@dataclass(frozen=True, slots=True, eq=False)
class FaceNumbers:
    """What the table says of a video.

    Attributes:
        labels: Class names.
        rows: A row a face and frame: frame, time, face, one column a class, label; sorted by time.
        times: float64 (F,), the second of every frame, also of those without a face.
    """

    labels: tuple[str, ...]
    rows: pd.DataFrame
    times: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path) -> "FaceNumbers":
        """Read a `faces.csv`; its classes are the columns between box and label."""
        header = pd.read_csv(path, nrows=0).columns.tolist()
        labels = tuple(header[header.index("bottom") + 1 : header.index("label")])
        table = pd.read_csv(path, usecols=["frame", "time", "face", *labels, "label"])
        times = table.drop_duplicates("frame")["time"].to_numpy(np.float64)
        rows = table.dropna(subset=["face"]).astype({"face": int}).reset_index(drop=True)
        return cls(labels, rows, times)

    def nearest(self, moment: float) -> float:
        """The second of the frame shown at a moment."""
        index = int(np.searchsorted(self.times, moment + 1e-6, side="right")) - 1
        return float(self.times[max(index, 0)])

    def at(self, moment: float) -> list[tuple[int, str, Prediction]]:
        """Face, label shown and probabilities of every face of the frame shown at a moment."""
        shown = self.rows[self.rows["time"] == self.nearest(moment)]
        return [
            (int(row["face"]), str(row["label"]), self._prediction(row))
            for _, row in shown.iterrows()
        ]

    def _prediction(self, row: "pd.Series[float]") -> Prediction:
        shares = np.asarray(row[list(self.labels)], np.float64)
        return Prediction(self.labels, shares, np.log(np.maximum(shares, 1e-12)))

    def timeline(self, face: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """One face over time, for a chart.

        Returns:
            Seconds float64 (T,) and probabilities float64 (T, K), means over equal spans where
            there are more frames than a chart can show; a row of NaN where the face was away.
        """
        own = self.rows[self.rows["face"] == face]
        times, shares = own["time"].to_numpy(np.float64), own[list(self.labels)].to_numpy()
        step = -(-len(times) // MOST_POINTS)
        starts = np.arange(0, len(times), max(step, 1))
        counts = np.diff(np.append(starts, len(times)))
        points = np.add.reduceat(times, starts) / counts
        values = np.add.reduceat(shares, starts, axis=0) / counts[:, None]
        span = float(np.median(np.diff(points))) if len(points) > 1 else 0.0
        breaks = np.flatnonzero(np.diff(points) > GAP + 2 * span) + 1
        points = np.insert(points, breaks, points[breaks] - 1e-3)
        return points, np.insert(values, breaks, np.nan, axis=0)


def show_result(folder: Path, name: str) -> None:
    """Draw everything about the video analysed into this folder.

    Args:
        folder: With the results.
        name: What begins the names of downloaded files.
    """
    report: dict[str, Any] = json.loads((folder / SUMMARY).read_text())
    annotated = folder / ANNOTATED
    if report["status"] == "dropped":
        st.warning(
            "Another analysis had begun to replace these results when it ended, so they may not "
            "belong together. Analyse the video again."
        )
        return
    if report["status"] == "stopped":
        st.warning(f"Cancelled: these are the first {duration(report['seconds'])} of the video.")
    broken = [note for note in report["notes"] if ENDS_EARLY in note]
    for note in broken:
        st.warning(literal(note))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _player(annotated, (report["source"]["height"], report["source"]["width"]))
    with right:
        _figures(report)
        _downloads(folder, annotated, name)
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
        if note not in broken:
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


def _player(annotated: Path, shape: tuple[int, int]) -> None:
    if not annotated.exists():
        st.caption("No annotated copy was asked for.")
    elif annotated.stat().st_size > PLAYABLE * 2**20:
        st.caption(f"The annotated copy is larger than {PLAYABLE} MB: download it to play it.")
    else:
        room_for(st.container(), shape, "player").video(str(annotated))


@st.fragment
def _over_time(report: dict[str, Any], numbers: FaceNumbers, annotated: Path) -> None:
    """The timeline, and the picture of the moment chosen in it."""
    st.subheader("Over time")
    last, first_seen = float(numbers.times[-1]), float(report["faces"][0]["first"])
    moment = min(float(st.session_state.setdefault(MOMENT, first_seen)), last)
    st.session_state[MOMENT] = moment
    face = _face_choice(report)
    times, shares = numbers.timeline(face)
    draw_chart(
        face_timeline(
            times,
            shares,
            numbers.labels,
            numbers.nearest(moment),
            f"face {face}",
            whole=(0.0, last) if last > 0 else None,
        ),
        key=CHART,
        numbers=True,
        on_select=_clicked,
        selection_mode="points",
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
                frame = video.frame_at(exact)
            pictures.draw(picture, frame, "moment", alt=f"The frame at {exact:.2f} s")
        st.caption(f"The frame at {exact:.2f} s.")
    with beside:
        faces = numbers.at(exact)
        if not faces:
            st.caption("No face in this frame.")
        for face, label, prediction in faces:
            st.markdown(f"**{f'Face {face}: ' if len(faces) > 1 else ''}{label}**")
            st.html(probability_bars(prediction.labels, prediction.probabilities))


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
                **{name: 100 * share for name, share in face["mean_probabilities"].items()},
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
            "face": st.column_config.NumberColumn(pinned=True),
            "frames": st.column_config.NumberColumn(format="localized"),
            **share_columns(labels, help="Mean probability."),
        },
    )


def _downloads(folder: Path, annotated: Path, name: str) -> None:
    files = (
        ("Annotated video (MP4)", annotated, "video/mp4"),
        ("Numbers of every frame (CSV)", folder / TABLE, "text/csv"),
        ("Summary (JSON)", folder / SUMMARY, "application/json"),
    )
    for title, path, kind in files:
        if path.exists():
            st.download_button(
                title, path.read_bytes, f"{name}-{path.name}", kind,
                key=f"get {path.name}", on_click="ignore", width="stretch",
            )  # fmt: skip


def show_batch(folder: Path, name: str) -> None:
    """Draw the results of all videos analysed into this folder; `name` as for `show_result`."""
    report: dict[str, Any] = json.loads((folder / BATCH).read_text())
    videos = report["videos"]
    failed = sum(entry["status"] == "failed" for entry in videos)
    said = f"**{counted(len(videos) - failed, 'video')} analysed**"
    if failed:
        said += f", {counted(failed, 'file')} unreadable"
    if report["left_out"]:
        said += f", {report['left_out']:,} left out because it was cancelled"
    st.markdown(f"{said}.")
    st.dataframe(_table(videos), hide_index=True)
    if report["pairs"]:
        st.markdown("**Left beside right**")
        st.dataframe(
            pd.DataFrame(report["pairs"]).rename(columns=lambda name: name.replace("_", " ")),
            hide_index=True,
            column_config={"same label": st.column_config.NumberColumn(format="percent")},
        )
        st.caption(
            "Share of the common frames in which both recordings are named alike, and the mean "
            "difference of their probabilities."
        )
    for column, (title, file, kind) in zip(
        st.columns(3),
        (
            ("All videos (CSV)", BATCH_TABLE, "text/csv"),
            ("All videos (JSON)", BATCH, "application/json"),
        ),
        strict=False,
    ):
        column.download_button(
            title, (folder / file).read_bytes, f"{name}-{file}", kind,
            key=f"get {file}", on_click="ignore", width="stretch",
        )  # fmt: skip
    _detail(folder, [entry["video"] for entry in videos if entry["status"] != "failed"], name)


def _table(videos: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(videos)
    if "error" in table and not table["error"].any():
        table = table.drop(columns="error")
    return table.rename(columns=lambda name: name.replace("_", " "))


def _detail(folder: Path, videos: list[str], begin: str) -> None:
    there = [name for name in videos if (folder / name / SUMMARY).is_file()]
    if not there:
        return
    st.subheader("One video in detail")
    name = st.selectbox("Video", there, format_func=literal, key="video_detail")
    show_result(folder / name, f"{begin}-{Path(name).stem}")
