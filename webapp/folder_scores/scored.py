"""Scores of many files: one value a page can keep, and how it is drawn."""

import base64
import io
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from core.evaluation import FEW, Predictions, with_intervals
from core.files import readable
from core.images import FULL_PIXELS
from core.labels import COLOURS, label_in_name, synonyms
from core.scoring import FacesMode, Score, as_row, header, score_files
from core.tabular import CsvWriter
from webapp.chart_frame import draw_chart, emotion_column, share_columns
from webapp.charts.results import confusion_heat
from webapp.text import counted, literal, percent

if TYPE_CHECKING:
    from core.predict import Predictor

THUMBNAIL = 48  # px, longer side
SMALL_FILE = 2**20  # bytes; larger pictures are read at a quarter of their size
JPEG_QUALITY = 80
ALL, WRONG, UNCLEAR, FAILED = "All", "Answer differs from label", "Unclear", "Without an answer"
NAMES = ("label", "answer")  # columns of expressions
ROWS = 200  # a page of the table; every row carries a picture
THUMBNAIL_ROW = 52  # px, a thumbnail and its margin
RESULT = "result"  # parameter of the address that leads to kept scores
KEPT_FOR, KEPT_MOST = 86_400, 20  # seconds; scores of all visitors together
WARNING = (
    "Kept in this machine's memory for a day, small pictures included, or until the app is "
    "restarted. Whoever has the address can see them."
)
NAMED = 6  # folders without labels, in a sentence
LEAST_LABELLED = 0.5  # share of the files; below it, words in names are hardly labels


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What came of a set of files.

    Attributes:
        labels: The model's classes.
        table: One row a file (or a face): picture (a data address or ""), file, label (in
            its name, or ""), answer, confidence, one column a class, status, read as, faces, note.
        csv: The scores file, in the form of the command `classify`.
    """

    labels: tuple[str, ...]
    table: pd.DataFrame
    csv: str

    @property
    def labelled(self) -> pd.DataFrame:
        """The rows that have both a label and an answer."""
        return self.table[(self.table["label"] != "") & (self.table["answer"] != "")]

    def predictions(self) -> Predictions:
        """The labelled pictures, by their largest faces, as the figures are computed from them."""
        rows = self.labelled.drop_duplicates("file", ignore_index=True)
        facts = pd.DataFrame({"path_hash": rows["file"], "pixel_hash": rows["file"]})
        facts = facts.assign(source="folder", origin="", part="test", twin="", true=rows["label"])
        return Predictions(self.labels, pd.concat([facts, rows[list(self.labels)]], axis=1))


def score(
    files: Sequence[Path],
    root: Path,
    predictor: "Predictor",
    faces: FacesMode,
    on_progress: Callable[[int], None],
    *,
    all_faces: bool = False,
) -> Scored:
    """Score files and keep what the page shows of them.

    Args:
        files: Pictures on disk.
        root: Names are relative to this folder.
        predictor: The checkpoint.
        faces: As `score_files` takes it.
        on_progress: Called with the number of files done.
        all_faces: As `score_files` takes it.
    """
    labels = predictor.labels
    text = io.StringIO()
    writer = CsvWriter(text)
    writer.writerow([*header(labels), "label", "checkpoint"])
    rows = []
    scores = score_files(
        files, predictor, faces=faces, all_faces=all_faces, on_progress=on_progress
    )
    for one in scores:
        name = readable(one.path.relative_to(root).as_posix())
        cells = as_row(one, labels)
        label = label_in_name(name, labels) or ""
        writer.writerow([name, *cells[1:], label, predictor.folder.name])
        rows.append(_row(one, name, labels))
    return Scored(labels, pd.DataFrame(rows), text.getvalue())


def _row(one: Score, name: str, labels: Sequence[str]) -> dict[str, object]:
    prediction = one.prediction
    if prediction is None:
        answer, confidence, shares = "", np.nan, np.full(len(labels), np.nan)
    else:
        answer, confidence = prediction.predicted, prediction.confidence
        shares = prediction.probabilities
    unclear = prediction is not None and prediction.unclear
    return {
        "picture": thumbnail(one.path, one) if prediction is not None else "",
        "file": name,
        "label": label_in_name(name, labels) or "",
        "answer": answer,
        "confidence": confidence,
        **dict(zip(labels, shares.tolist(), strict=True)),
        "status": "unclear" if unclear else one.status.replace("_", " "),
        "read as": one.read_as,
        "faces": one.faces,
        "note": one.error or one.note,
    }


def thumbnail(path: Path, score: Score | None = None) -> str:
    """A small JPEG of a picture file as a data address; "" where OpenCV cannot read it.

    Args:
        path: Of the picture.
        score: What was read of it; of a face, only the face is shown.
    """
    large = path.stat().st_size > SMALL_FILE
    mode = cv2.IMREAD_REDUCED_COLOR_4 if large else cv2.IMREAD_COLOR
    # Not through cv2.imread: it cannot open every name that Python can.
    image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), mode)
    if image is None:
        return ""
    reduced = 4 if large else 1
    if (
        score is not None
        and score.box is not None
        and image[..., 0].size * reduced**2 < FULL_PIXELS
    ):
        turns = int(score.read_as.rpartition(" ")[2]) // 90 if "turned" in score.read_as else 0
        box, upright = score.box, np.rot90(image, -turns)
        rows = slice(max(box.top // reduced, 0), box.bottom // reduced)
        face = upright[rows, max(box.left // reduced, 0) : box.right // reduced]
        image = np.ascontiguousarray(face) if face.size else image
    height, width = image.shape[:2]
    scale = THUMBNAIL / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}" if done else ""


def show_scores(scored: Scored, skipped: Sequence[tuple[str, str]]) -> None:
    """Draw everything that is known of the files."""
    table = scored.table
    answered = int((table["answer"] != "").sum())
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    files = table.loc[table["answer"] != "", "file"].nunique()
    faces = f"{counted(answered, 'face')} of " if answered != files else ""
    left.markdown(
        f"**{faces}{counted(files, 'picture')} scored**, "
        f"{counted(len(table) - answered, 'file')} without an answer."
    )
    right.download_button(
        "Scores (CSV)",
        scored.csv,
        "scores.csv",
        "text/csv",
        key="folder csv",
        on_click="ignore",
        width="stretch",
    )
    if skipped:
        with st.expander(f"{counted(len(skipped), 'file')} left out"):
            st.dataframe(pd.DataFrame(skipped, columns=["file", "reason"]), hide_index=True)
    labelled = len(scored.labelled)
    if compared := 0 < labelled >= LEAST_LABELLED * answered:
        _figures(scored)
    if labelled < answered:
        (st.info if labelled else st.caption)(_without_label(scored, compared=compared))
    _table(scored)


def _without_label(scored: Scored, *, compared: bool) -> str:
    """Which answers no label was found for, and what is read as one."""
    rows = scored.table[(scored.table["answer"] != "") & (scored.table["label"] == "")]
    folders = rows["file"].map(lambda name: str(PurePath(name).parent)).value_counts()
    named = [f"{literal(str(one)) if one != '.' else 'none'} {n:,}" for one, n in folders.items()]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    where = f" By folder: {', '.join(named[:NAMED])}{more}." if list(folders.index) != ["."] else ""
    have, are = ("has", "is") if len(rows) == 1 else ("have", "are")
    left_out = f"and {are} left out of these figures"
    fate = left_out if compared else "so there are too few labels to compare with"
    known = [
        f"{one} ({', '.join(also)})" if (also := synonyms(one)) else one for one in scored.labels
    ]
    return (
        f"{counted(len(rows), 'answer')} {have} no label that this network knows, {fate}.{where} A "
        f"label is the last word of a file's name, or a folder's name: {', '.join(known)}."
    )


def _figures(scored: Scored) -> None:
    figures = with_intervals(scored.predictions())
    st.subheader("Against the labels in names and folders")
    columns = st.columns([1, 1, 3])
    for column, name, title in (
        (columns[0], "accuracy", "Accuracy"),
        (columns[1], "macro_f1", "Macro-F1"),
    ):
        low, high = figures["intervals"][name]
        column.metric(title, percent(figures[name]))
        span = f"95 %: {100 * low:.1f} to {100 * high:.1f}"
        if name != "accuracy" and figures["n"] < FEW:
            span = f"under {FEW}, too few for an interval"
        column.caption(f"{counted(figures['n'], 'labelled picture')}; {span}")
    with columns[2]:
        draw_chart(
            confusion_heat(
                figures["confusion"], scored.labels, "counts", "Confusions", "label (by name)"
            ),
            key="folder confusion",
            numbers=True,
        )
        st.caption("The stronger the colour, the larger the share of its row.")


def _table(scored: Scored) -> None:
    st.subheader("Files")
    wrong = scored.labelled
    wrong = wrong[wrong["label"] != wrong["answer"]]
    choices = {
        ALL: scored.table,
        WRONG: wrong,
        UNCLEAR: scored.table[scored.table["status"] == "unclear"],
        FAILED: scored.table[scored.table["answer"] == ""],
    }
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    offered = [name for name, rows in choices.items() if len(rows) or name == ALL]
    chosen = ALL
    if len(offered) > 1:
        chosen = left.segmented_control(
            "Show",
            offered,
            format_func=lambda name: f"{name} ({len(choices[name]):,})",
            default=ALL,
            required=True,
            key="folder rows",
        )
    rows = choices[chosen]
    pages = max(1, -(-len(rows) // ROWS))
    page = right.number_input(f"Page, of {pages}", 1, pages, key="folder page") if pages > 1 else 1
    shown = rows.iloc[(page - 1) * ROWS : page * ROWS].copy()
    for name in ("confidence", *scored.labels):
        shown[name] = 100 * pd.to_numeric(shown[name], errors="coerce")
    for name in NAMES:
        chips: list[object] = [[one] if one else None for one in shown[name]]
        shown[name] = pd.Series(chips, index=shown.index, dtype=object)
    if chosen == FAILED:  # why there is none, before what is empty
        shown = shown[["file", "status", "note", "label"]]
    st.dataframe(
        shown,
        hide_index=True,
        key="folder table",
        placeholder="-",
        row_height=THUMBNAIL_ROW,
        column_config={
            "picture": st.column_config.ImageColumn(" ", pinned=True),
            "confidence": st.column_config.NumberColumn("confidence %", format="%.1f"),
            **{name: emotion_column(COLOURS) for name in NAMES},
            **share_columns(scored.labels),
        },
    )
    st.caption(
        "Click a column's head to sort. Names are relative to the folder chosen. The column "
        "“status” says where no face was found, the column “read as” what was answered: a face, "
        "the whole picture, or a face of a picture that was turned upright first."
    )


def show_linked() -> bool:
    """Draw the scores that the address names, or say that they are gone; whether it names any."""
    token = st.query_params.get(RESULT, "")
    if not token:
        return False
    found = _found(token)
    if found is None:
        st.info(
            "The scores that this address leads to are no longer kept: that is done for a day, and "
            "until the app is restarted. Choose the pictures and score them again."
        )
        return True
    show_scores(*found)
    st.caption(WARNING)
    return True


def offer_address(scored: Scored, skipped: Sequence[tuple[str, str]]) -> None:
    """Draw the button that keeps the scores, or say that they are kept."""
    token = st.query_params.get(RESULT, "")
    kept = _found(token)
    if kept is not None and kept[0] is scored:
        st.caption(f"The page's address now leads to these scores. {WARNING}")
        return
    st.button(
        "Keep an address for these scores",
        key="keep scores",
        help=WARNING,
        on_click=_keep,
        args=(scored, list(skipped)),
    )


def _keep(scored: Scored, skipped: list[tuple[str, str]]) -> None:
    token, places = secrets.token_urlsafe(12), _places()
    for old in list(places)[: max(0, len(places) - KEPT_MOST + 1)]:  # the oldest come first
        places.pop(old, None)
    places[token] = (time.monotonic(), scored, skipped)
    st.query_params[RESULT] = token


def _found(token: str) -> tuple[Scored, list[tuple[str, str]]] | None:
    """What was kept under a token; None for nothing, or no longer."""
    places = _places()
    for old, (since, *_) in list(places.items()):
        if time.monotonic() - since > KEPT_FOR:
            places.pop(old, None)
    found = places.get(token)
    return None if found is None else found[1:]


@st.cache_resource(show_spinner=False)
def _places() -> dict[str, tuple[float, Scored, list[tuple[str, str]]]]:
    """Scores of all visitors by their tokens, with the time since which they are kept."""
    return {}
