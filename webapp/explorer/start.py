"""Without data: the audit that ships, where to get each set, and preparing one."""

import subprocess
import sys
from pathlib import Path

import streamlit as st

from core.data import SOURCES, shipped_audit, shipped_means
from core.errors import CoreError
from core.paths import below, data_root, read_only
from core.training import RunFolder
from webapp.errors import shown_errors
from webapp.explorer import looks, overview
from webapp.text import literal

JOB = "prepare job"
LINES = 12  # of the log shown


def shipped() -> None:
    """The audit of the real five sets, numbers and means only."""
    st.info(
        "No data set is prepared here. Below is the audit of the five sets as downloaded, made "
        "when this software was released: numbers and mean faces, no picture of a person."
    )
    found = shipped_audit()
    tab_counts, tab_looks = st.tabs(["What is in it", "How it looks"])
    with tab_counts:
        overview.show(found)
    with tab_looks:
        looks.show(found, shipped_means())


def how_to_get() -> None:
    """Where each set comes from and what may be done with it."""
    for source in SOURCES.values():
        if source.obtain:
            st.markdown(f"**{source.title}.** {source.obtain}")


def prepare_form() -> None:
    """Offer to prepare zips and folders below the data root, or the drawn demo."""
    if read_only():
        st.info("This server is read-only: data sets are prepared on the command line.")
        return
    running = st.session_state.get(JOB)
    if running is not None:
        _progress(running)
        return
    root = data_root()
    st.caption(
        f"Put the downloaded zips or folders below the data root (`{literal(str(root))}`) and "
        "choose them here, or prepare the demo: 900 faces drawn by code."
    )
    found = sorted(
        str(path.relative_to(root))
        for path in (root.glob("*") if root.is_dir() else ())
        if (path.suffix == ".zip" or path.is_dir()) and not (path / "dataset.json").is_file()
    )
    chosen = st.multiselect("Zips and folders", found, placeholder="choose one or several")
    name = st.text_input("Name of the prepared set", "fer-gimefive", max_chars=60)
    left, right = st.columns(2)
    if left.button("Prepare", type="primary", disabled=not chosen, width="stretch"):
        _start([str(below(root, path)) for path in chosen], name)
    if right.button("Prepare the demo", width="stretch"):
        _start(["demo"], "demo")


def _start(sources: list[str], name: str) -> None:
    with shown_errors():
        target = RunFolder.named(data_root(), name).path  # a plain folder name, below the root
        data_root().mkdir(parents=True, exist_ok=True)
        log = data_root() / f"{name}-prepare.log"
        command = [sys.executable, "-u", "-m", "core", "prepare", *sources, "--out", str(target)]
        with log.open("w") as file:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        st.session_state[JOB] = (process, log)
        st.rerun()


@st.fragment(run_every=1.0)
def _progress(job: "tuple[subprocess.Popen[bytes], Path]") -> None:
    process, log = job
    code = process.poll()
    lines = log.read_text(errors="replace").splitlines()[-LINES:] if log.is_file() else []
    if code is None:
        st.status("Preparing the data set; you may go to other pages meanwhile.")
        st.code("\n".join(lines) or "…", language=None)
        return
    st.session_state.pop(JOB, None)
    if code != 0:
        raise CoreError(lines[-1] if lines else "The preparation ended without a word.")
    st.rerun()
