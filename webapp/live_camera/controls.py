"""The settings of a stream, in the sidebar; they act from the next frame on."""

import streamlit as st

from core.drawing import OPACITY, SHOWN, Style
from core.explain import EXPLAINERS
from core.faces import DEFAULT_DETECTOR, DETECTORS
from core.types import RECOMMENDED
from core.video import DEFAULT_SMOOTHING, PAPER_REFRESH, PipelineSettings
from webapp.text import literal
from webapp.widgets import DETECTOR_TITLES, OPACITY_HELP

NO_MAP = "none"
CAMERA_METHODS = (
    "Recommended is the method that held best when this network's explanations were measured. "
    "Expected CAM and, for most networks, Grad-CAM keep up with the camera; other methods show "
    "fewer new maps a second."
)
AT_ONCE, PAPER = "at once", f"every {PAPER_REFRESH}th frame, as in the paper"


def pipeline_controls(
    place: str = "live", *, help_on_methods: str = CAMERA_METHODS
) -> PipelineSettings:
    """How faces are found, steadied and explained.

    Args:
        place: Beginning of the widgets' keys: every page keeps settings of its own.
        help_on_methods: What the choice of a method costs there.
    """
    method = st.sidebar.selectbox(
        "Method of explanation",
        [RECOMMENDED, *EXPLAINERS, NO_MAP],
        format_func=_method_title,
        key=f"{place}_method",
        persist_state="session",
        help=help_on_methods,
    )
    if method in EXPLAINERS and EXPLAINERS[method].caveat:
        st.sidebar.caption(literal(EXPLAINERS[method].caveat))
    smoothing = st.sidebar.slider(
        "Smoothing", 0, 100, round(100 * DEFAULT_SMOOTHING), 5, format="%d %%",
        key=f"{place}_smoothing", persist_state="session",
        help="Steadies points, percentages and the name. 0 % shows each frame by itself.",
    )  # fmt: skip
    with st.sidebar.expander("Finding faces"):
        names = [DEFAULT_DETECTOR, *(name for name in DETECTORS if name != DEFAULT_DETECTOR)]
        detector = st.selectbox(
            "Face detector",
            names,
            format_func=lambda name: DETECTOR_TITLES.get(name, name),
            key=f"{place}_detector",
            persist_state="session",
        )
        every = st.slider(
            "Search every … frames", 1, 15, 5, key=f"{place}_every", persist_state="session",
            help="Between searches, faces are followed by their landmarks.",
        )  # fmt: skip
        most = st.slider("Faces at most", 1, 16, 8, key=f"{place}_faces", persist_state="session")
        refresh = st.radio(
            "The name changes", [AT_ONCE, PAPER], key=f"{place}_refresh", persist_state="session"
        )
    return PipelineSettings(
        detector=detector,
        detect_every=every,
        smoothing=smoothing / 100,
        label_every=1 if refresh == AT_ONCE else PAPER_REFRESH,
        max_faces=most,
        method=None if method == NO_MAP else method,
    )


def _method_title(name: str) -> str:
    if name == RECOMMENDED:
        return "Recommended for this network"
    title = "No map" if name == NO_MAP else EXPLAINERS[name].title
    return f"{title}, as in the paper" if name == "grad_cam" else title


def drawing_controls(labels: tuple[str, ...]) -> Style:
    """What is drawn on the picture.

    Args:
        labels: The checkpoint's classes.
    """
    overlay = st.sidebar.toggle("Map on the face", True, key="live_map", persist_state="session")
    opacity = st.sidebar.slider(
        "Opacity of the map", 0, 100, round(100 * OPACITY), 5, format="%d %%", key="live_opacity",
        persist_state="session", disabled=not overlay, help=OPACITY_HELP,
    )  # fmt: skip
    target = st.sidebar.selectbox(
        "Map shows the evidence for",
        [SHOWN, *labels],
        format_func=lambda name: "the expression named" if name == SHOWN else name,
        key="live_target",
        persist_state="session",
        disabled=not overlay,
    )
    boxes = st.sidebar.toggle("Box and name", True, key="live_boxes", persist_state="session")
    points = st.sidebar.toggle("68 landmarks", True, key="live_points", persist_state="session")
    bars = st.sidebar.toggle(
        "Percentages in the picture", key="live_bars", persist_state="session",
        help="They also stand beside the picture.",
    )  # fmt: skip
    return Style(
        overlay=overlay,
        landmarks=points,
        boxes=boxes,
        bars=bars,
        opacity=opacity / 100,
        target=target,
    )
