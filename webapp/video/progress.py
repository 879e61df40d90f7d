"""An analysis under way: how far it is, how long it still takes, and a way to end it."""

import streamlit as st

from core import CoreError
from core.checkpoints import find_checkpoint, title_of
from core.video import JobStatus, job_log, kept_seconds, latest_frame, read_job, stop_job
from webapp.errors import show_log
from webapp.pictures import draw
from webapp.text import counted, duration, literal
from webapp.video import store
from webapp.video.store import Analysis
from webapp.waiting import tell_kept, tell_next

REFRESH = 1.0  # seconds between two looks


def watch(analysis: Analysis) -> None:
    """Draw the progress until the analysis ends, then run the page again."""
    st.markdown(
        f"**{literal(analysis.title)}** is being analysed. You may leave this page; its address "
        "leads back."
    )
    _progress(analysis)


@st.fragment(run_every=REFRESH)
def _progress(analysis: Analysis) -> None:
    tell_kept()
    job = read_job(analysis.results)
    if job is None or job.state != "running":
        st.rerun()
    st.progress(overall(job), text=words(job))
    st.button("Cancel", key="video_cancel", on_click=_cancel, args=(analysis,))
    frame = latest_frame(analysis.results)
    if frame is not None:
        alt = "The frame that was analysed last, with faces, answers and map."
        draw(st.container(), frame, "video_latest", alt=alt, width=frame.shape[1])
        st.caption("The frame that was analysed last. Cancel shows the results up to it.")


def _cancel(analysis: Analysis) -> None:
    """End it; the page shows what there is once the process has let go."""
    stop_job(analysis.results)
    tell_next("Ending after this frame; what was done is kept.")


def overall(job: JobStatus) -> float:
    """Part done, 0 to 1, over all videos."""
    return min((job.number - 1 + (job.share or 0.0)) / max(job.of, 1), 1.0)


def words(job: JobStatus) -> str:
    """What stands on the bar."""
    if not job.frames:
        waited = job.process.age
        return "Loading the network …" + (f" {duration(waited)}" if waited else "")
    said = f"{counted(job.frames, 'frame')}"
    if job.expected:
        said = f"{job.frames:,} of {counted(job.expected, 'frame')}"
    if job.of > 1:
        said = f"Video {job.number:,} of {job.of:,}, {literal(job.video)}: {said}"
    left = time_left(job)
    return said if left is None else f"{said}, {duration(left)} left"


def time_left(job: JobStatus) -> float | None:
    """Seconds until this video is done at the pace so far; None where it cannot be told."""
    if not job.pace or not job.expected:
        return None
    return job.pace * max(job.expected - job.frames, 0)


def show_failure(analysis: Analysis, job: JobStatus | None) -> None:
    """One sentence on why there is nothing to see, and a way on."""
    if job is not None and job.state == "stopped":
        st.info(f"{literal(analysis.title)}: cancelled before a frame was analysed.")
    else:
        reason = job.reason if job is not None else "It was never begun."
        st.error(f"{literal(analysis.title)}: {literal(reason)}")
    with st.container(horizontal=True):
        if st.button("Choose another video", type="primary", key="video_again"):
            store.delete(analysis)
            st.rerun()
        _offer_more(analysis)
    if job is not None and job.state == "failed":
        show_log(job_log(analysis.results))


def _offer_more(analysis: Analysis) -> None:
    """A button that takes an analysis up again, where that can be, and what it will do."""
    if not store.can_go_on(analysis):
        return
    kept = 0.0 if analysis.several else kept_seconds(analysis.results)
    afresh = not kept and not analysis.several
    if st.button("Start again" if afresh else "Go on", key="video_go_on"):
        store.go_on(analysis)
        st.rerun()
    if analysis.several:
        said = "*Go on* analyses the videos that are missing."
    elif afresh:
        said = "*Start again* analyses the video from its beginning; what is there now stays until "
        said += "it has come further."
    else:
        said = f"*Go on* analyses the video from {duration(kept)} on; what is before is kept."
    st.caption(f"{said} Meanwhile only its progress is shown.")


def _network(analysis: Analysis) -> str:
    try:
        return title_of(find_checkpoint(analysis.checkpoint))
    except CoreError:  # deleted since
        return analysis.checkpoint


def show_title(analysis: Analysis, job: JobStatus | None) -> None:
    """What was analysed by which network, and ways on."""
    said, again, delete = st.columns([4, 1, 1], vertical_alignment="center")
    said.markdown(f"**{literal(analysis.title)}**, by {literal(_network(analysis))}")
    if again.button("New video", key="video_again", width="stretch"):
        store.leave()
        st.rerun()
    with delete.popover("Delete", width="stretch", key="video_ask_delete"):
        st.markdown("The video's copy goes with all results; nothing is kept.")
        st.button(
            "Delete for good",
            key="video_delete",
            type="primary",
            on_click=store.delete,
            args=(analysis,),
        )
    if job is None or job.state == "finished":
        return
    if job.state == "failed":
        st.error(f"The last try ended: {literal(job.reason)} Below is what was done before.")
    with st.container(horizontal=True, vertical_alignment="center"):
        _offer_more(analysis)
