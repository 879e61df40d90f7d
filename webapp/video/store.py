"""Analyses of videos on disk: each in a folder of its own, known by a name nobody can guess.

The folder is the only channel: a reload, another tab and a restarted server see the same.
"""

import os
import re
import secrets
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

from core.errors import VideoError
from core.files import changed, path_of, path_text, read_object, write_json
from core.paths import cache_root, read_only
from core.stored import read_shaped
from core.video import (
    AnalysisSettings,
    VideoReader,
    command_options,
    read_job,
    start_job,
)
from webapp.video.source import Chosen, plain

PARAMETER = "analysis"  # in the page's address, and in the session
KEPT = 24 * 3600.0  # seconds; whoever forgets to delete a video finds it gone the next day
AT_ONCE = 2  # analyses on this server; more only slow each other
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16}")
_REQUEST, _COMMAND, _RESULTS = "request.json", "command.json", "results"


@dataclass(frozen=True, slots=True)
class Analysis:
    """An analysis that was asked for.

    Attributes:
        token: Its name in the address.
        title: Of the video.
        checkpoint: Name of the network.
        several: Whether it is a folder of videos.
    """

    token: str
    title: str
    checkpoint: str
    several: bool

    @property
    def folder(self) -> Path:
        return place() / self.token

    @property
    def file_name(self) -> str:
        """What begins the names of its files when they are taken away."""
        return f"{plain(Path(self.title).stem)}-{self.checkpoint}"

    @property
    def results(self) -> Path:
        return self.folder / _RESULTS


def place() -> Path:
    """The folder of all analyses."""
    return cache_root() / "videos"


def begin(chosen: Chosen, checkpoint: Path, settings: AnalysisSettings) -> Analysis:
    """Start to analyse in a process of its own.

    Raises:
        CoreError: It is no video, the server is read-only, or it has enough to do.
    """
    if read_only():
        raise VideoError("This server is read-only. Use `python -m core video` instead.")
    forget_old()
    _refuse_more()
    analysis = Analysis(secrets.token_urlsafe(12), chosen.title, checkpoint.name, False)
    analysis.folder.mkdir(parents=True)
    try:
        source = chosen.on_disk(analysis.folder)
        if not source.is_dir():
            VideoReader(source).close()  # what is no video is refused here and now
        analysis = Analysis(analysis.token, chosen.title, checkpoint.name, several=source.is_dir())
        write_json(analysis.folder / _REQUEST, asdict(analysis))
        # Others use the server, too; and of one piece at a time, what is cancelled is kept whole.
        at_once = max((os.cpu_count() or 1) // 2, 1)
        options = [*command_options(settings, checkpoint), "--workers", str(at_once)]
        write_json(analysis.folder / _COMMAND, {"source": path_text(source), "options": options})
        start_job(source, analysis.results, options)
    except BaseException:
        shutil.rmtree(analysis.folder, ignore_errors=True)
        raise
    show(analysis)
    return analysis


def _refuse_more() -> None:
    if sum(_is_running(folder) for folder in _folders()) >= AT_ONCE:
        raise VideoError(
            f"{AT_ONCE} analyses are under way on this server. Wait until one has ended, or "
            "cancel one."
        )


def can_go_on(analysis: Analysis) -> bool:
    """Whether an analysis that was broken off can be taken up again."""
    return not read_only() and bool(read_object(analysis.folder / _COMMAND))


def go_on(analysis: Analysis) -> None:
    """Take an analysis up again; what it keeps, see `core.video.analyse_video`.

    Raises:
        CoreError: The server has enough to do.
    """
    _refuse_more()
    command = read_object(analysis.folder / _COMMAND)
    start_job(path_of(command["source"]), analysis.results, command["options"])


def current() -> Analysis | None:
    """The analysis in the address, or of this visit; None where there is none.

    Raises:
        VideoError: The address names one that is gone.
    """
    forget_old()
    asked = st.query_params.get(PARAMETER)
    token = asked or st.session_state.get(PARAMETER, "")
    if not token:
        return None
    found = _read(token) if _TOKEN.fullmatch(token) else None
    if found is None:
        leave()
        if asked:
            raise VideoError(
                "The analysis in this address is gone: it was deleted, or a day has passed. "
                "Begin a new one."
            )
        return None
    show(found)
    return found


def show(analysis: Analysis) -> None:
    """Put it into the address, where a reload finds it, and into the session."""
    st.query_params[PARAMETER] = st.session_state[PARAMETER] = analysis.token


def leave() -> None:
    """Turn to a new analysis; the results of this one stay."""
    st.query_params.pop(PARAMETER, None)
    st.session_state.pop(PARAMETER, None)


def delete(analysis: Analysis) -> None:
    """Remove the video's copy and all results."""
    shutil.rmtree(analysis.folder, ignore_errors=True)
    leave()


def forget_old() -> None:
    """Remove what was begun more than a day ago and has ended; a server for looking has none."""
    if read_only():
        return
    for folder in _folders():
        # A folder that is gone already has no time of change.
        if 0 < changed(folder) < time.time() - KEPT and not _is_running(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _folders() -> list[Path]:
    return [path for path in place().glob("*") if _TOKEN.fullmatch(path.name)]


def _is_running(folder: Path) -> bool:
    job = read_job(folder / _RESULTS)
    return job is not None and job.state == "running"


def _read(token: str) -> Analysis | None:
    try:
        return Analysis(**read_shaped(place() / token / _REQUEST, Analysis))
    except (OSError, ValueError, TypeError):
        return None
