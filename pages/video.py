"""How are the expressions in a video named, from its first frame to its last?"""

import streamlit as st

from core.video import BATCH, LONGEST, SUMMARY, AnalysisSettings, read_job
from webapp import widgets
from webapp.errors import shown_errors
from webapp.live_camera.controls import pipeline_controls
from webapp.video import store
from webapp.video.progress import show_failure, show_title, watch
from webapp.video.result import show_batch, show_result
from webapp.video.source import video_input

SIZES = {"up to Full HD": LONGEST, "up to 1280 pixels": 1280, "up to 640 pixels": 640}

st.title("Video")
st.caption(
    "See how the expression that raters would name changes over a video. Every face in every "
    "frame gets a probability for each expression; you get an annotated copy, a timeline and all "
    "numbers."
)


def choose() -> None:
    """The form: a video, how it is to be analysed, and the button that begins."""
    checkpoint = widgets.checkpoint_picker()
    pipeline = pipeline_controls(
        "video",
        help_on_methods="Recommended is the method that held best when this network's explanations "
        "were measured. Expected CAM and, for most networks, Grad-CAM cost next to nothing; other "
        "methods take several times as long a frame.",
    )
    size = st.sidebar.selectbox(
        "Larger pictures are shrunk", SIZES, key="video_size", persist_state="session"
    )
    annotated = st.sidebar.toggle(
        "Write the annotated copy", True, key="video_annotated", persist_state="session"
    )
    chosen = video_input()
    st.info(
        "**Everyone in the video must know and agree.** The video stays on the computer that runs "
        "this app. A copy and the results are kept for a day, or until you delete them; whoever "
        "has this page's address can see them."
    )
    ready = chosen is not None and checkpoint is not None
    if chosen is None:
        st.caption("Choose a video first, or **Sample film**.")
    start = st.button("Start the analysis", type="primary", disabled=not ready, key="video_start")
    if start and chosen is not None and checkpoint is not None:
        with st.spinner("Looking at the video …"):
            store.begin(
                chosen,
                checkpoint,
                AnalysisSettings(pipeline, longest=SIZES[size], annotated=annotated),
            )
        st.rerun()


with shown_errors():
    analysis = store.current()
    job = None if analysis is None else read_job(analysis.results)
    if analysis is None:
        choose()
    elif job is not None and job.state == "running":
        watch(analysis)
    elif (analysis.results / (BATCH if analysis.several else SUMMARY)).is_file():
        show_title(analysis, job)
        (show_batch if analysis.several else show_result)(analysis.results, analysis.file_name)
    else:
        show_failure(analysis, job)
