"""What came of a folder of videos: a row each, left beside right, and any of them in detail."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.video import BATCH, BATCH_TABLE, SUMMARY
from webapp.text import counted, literal
from webapp.video.result import show_result


def show_batch(folder: Path) -> None:
    """Draw the results of all videos analysed into this folder."""
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
    for column, (title, name, kind) in zip(
        st.columns(3),
        (
            ("All videos (CSV)", BATCH_TABLE, "text/csv"),
            ("All videos (JSON)", BATCH, "application/json"),
        ),
        strict=False,
    ):
        column.download_button(
            title, (folder / name).read_bytes, name, kind,
            key=f"get {name}", on_click="ignore", width="stretch",
        )  # fmt: skip
    _detail(folder, [entry["video"] for entry in videos if entry["status"] != "failed"])


def _table(videos: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(videos)
    if "error" in table and not table["error"].any():
        table = table.drop(columns="error")
    return table.rename(columns=lambda name: name.replace("_", " "))


def _detail(folder: Path, names: list[str]) -> None:
    there = [name for name in names if (folder / name / SUMMARY).is_file()]
    if not there:
        return
    st.subheader("One video in detail")
    name = st.selectbox("Video", there, format_func=literal, key="video_detail")
    show_result(folder / name)
