"""The pages of the app: where they are, what they are for, and which exist."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from webapp.text import literal

# Streamlit sends no such header. What pages draw themselves stays allowed; the server's address
# is named for browsers whose 'self' leaves web sockets out.
_POLICY = """<script>
if (!document.querySelector('meta[http-equiv="Content-Security-Policy"]')) {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; " +
    `connect-src 'self' ws://${location.host} wss://${location.host} data: blob:; ` +
    "object-src 'none'; base-uri 'self'; form-action 'self'";
  document.head.append(meta);
}
</script>"""
# Streamlit writes in white on the accent, which is light on dark pages, where text has it, too.
_BLACK_ON_ACCENT = """<style>
[data-tag], [data-tag] *,
[data-testid^="stBaseButton-primary"]:not([disabled]),
[data-testid^="stBaseButton-primary"]:not([disabled]) * { color: #000 !important; }
[data-testid^="stBaseButton-primary"]:not([disabled]):is(:hover, :focus, :active) {
  background-color: #A9B7F6 !important;
}
</style>"""
# A link to the next step looks like one; the names of networks fit into their boxes.
_LOOK = """<style>
[data-testid="stMain"] [data-testid="stPageLink-NavLink"] {
  border: 1px solid rgba(128, 128, 160, .6); border-radius: .5rem; padding: .3rem .8rem;
}
[data-testid="stMain"] [data-testid="stPageLink-NavLink"]:hover { text-decoration: underline; }
[data-testid="stSelectbox"] input { font-size: .8125rem; }
</style>"""
VIEW = "view"  # parameter of an address
OPEN = "open"  # the same in a link: Streamlit drops the view of the page that one leaves
APP = "GiMEFiVE Studio"
PAGES_FOLDER = Path(__file__).resolve().parent.parent / "pages"


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One page in the menu and on the home page.

    Attributes:
        name: File name without its ending, and the page's address.
        title: In the menu.
        section: Heading above it in the menu; "" for none.
        purpose: What a visitor can do there, one sentence.
        invitation: Text of the link to it.
    """

    name: str
    title: str
    section: str
    purpose: str
    invitation: str

    @property
    def exists(self) -> bool:
        return (PAGES_FOLDER / f"{self.name}.py").is_file()


HOME = PageEntry("home", "Home", "", "What this is and where to go.", "Home")
ENTRIES = (
    HOME,
    PageEntry(
        "image_explanation",
        "Image explanation",
        "Look",
        "Upload a photo, take one, or try the sample: every face gets a probability and a map "
        "of the evidence for each expression.",
        "Explain a photo",
    ),
    PageEntry(
        "layer_activations",
        "Layer activations",
        "Look",
        "Every layer and every channel of a network, for any face: what each responds to.",
        "Browse the layers",
    ),
    PageEntry(
        "live_camera",
        "Live camera",
        "Look",
        "The same on your camera's picture, frame by frame, with the scores over time as a table. "
        "No picture is kept unless you record.",
        "Open the camera",
    ),
    PageEntry(
        "video",
        "Video",
        "Look",
        "Analyse a video file: an annotated copy, a timeline, and a row of numbers for every face "
        "in every frame.",
        "Analyse a video",
    ),
    PageEntry(
        "folder_scores",
        "Folder scores",
        "Look",
        "A probability of each expression for every picture of a folder or zip, as a table to take "
        "away; accuracy at once where names carry labels.",
        "Score a folder",
    ),
    PageEntry(
        "dataset_explorer",
        "Dataset explorer",
        "Learn",
        "What the training pictures are: counts, duplicates, leaks between splits, contradicting "
        "labels.",
        "Explore the data",
    ),
    PageEntry(
        "training",
        "Training",
        "Learn",
        "Train a network from a preset or your own settings, and watch its curves.",
        "Train a network",
    ),
    PageEntry(
        "results",
        "Results",
        "Judge",
        "The GiMEFiVE paper's numbers beside ours, down to the single picture.",
        "See the results",
    ),
    PageEntry(
        "model_card",
        "Model card",
        "Judge",
        "What a network was trained on, what it is for, where it fails, and how to load it.",
        "Read the card",
    ),
)


IMAGE, EXPLORER, TRAINING, RESULTS, CARD = (
    "image_explanation",
    "dataset_explorer",
    "training",
    "results",
    "model_card",
)
NETWORK_LINKS = {  # page -> label, and the parameters that its address takes besides the network's
    RESULTS: ("Results", "run", {OPEN: "Confusions"}),
    CARD: ("Model card", "checkpoint", {}),
    IMAGE: ("Try it on a photo", "checkpoint", {}),
}


def present() -> list[PageEntry]:
    """The pages whose files are there, in the order of the menu."""
    return [entry for entry in ENTRIES if entry.exists]


def page(entry: PageEntry) -> StreamlitPage:
    """The page as Streamlit knows it; its path counts from the folder of the entry file."""
    return st.Page(
        f"../pages/{entry.name}.py",
        title=entry.title,
        url_path="" if entry is HOME else entry.name,
        default=entry is HOME,
    )


def warn_of_link(key: str, names: Iterable[str]) -> None:
    """Say so where a link names something that is not here, above the box to choose from.

    Args:
        key: Of the parameter in the address.
        names: Of all that is here.
    """
    asked = st.query_params.get(key, "")
    if asked and asked not in names:
        st.warning(
            f"The link asks for {literal(repr(asked[:80]))}, which is not here. Choose one of "
            "those below."
        )


def link(name: str, label: str, **query: str) -> None:
    """A link to a page of the app, as the button of an empty view or beside a figure.

    Args:
        name: Of the page.
        label: What the visitor gets there.
        query: Parameters of its address.
    """
    entry = next(entry for entry in ENTRIES if entry.name == name)
    if entry.exists:
        st.page_link(page(entry), label=f"{label} →", query_params=query, width="content")


def network_links(network: str, *, here: str = "", measured: bool = True) -> None:
    """Links in a row to everything there is of a network: figures, card, and a try on a photo.

    Args:
        network: Name of its folder.
        here: The page they stand on, which is left out.
        measured: Whether there are figures of it.
    """
    with st.container(horizontal=True, gap="medium"):
        for name, (label, parameter, query) in NETWORK_LINKS.items():
            if name != here and (measured or name != RESULTS):
                link(name, label, **query, **{parameter: network})


def view_picker(views: Sequence[str], default: str) -> str:
    """One of a page's views, which stands in its address.

    Pages share the parameter: what it holds of another page's views is dropped.

    Args:
        views: Their names.
        default: Of the view where the address names none.
    """
    if st.session_state.get(VIEW) not in views:
        st.session_state.pop(VIEW, None)
    if st.query_params.get(OPEN) in views:
        st.session_state[VIEW] = st.query_params[VIEW] = st.query_params.pop(OPEN)
    chosen = st.segmented_control(
        "View",
        views,
        # Streamlit warns of a default beside a value that a button has set.
        default=None if VIEW in st.session_state else default,
        required=True,
        key=VIEW,
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen if chosen is not None and chosen in views else default


def current_page() -> StreamlitPage:
    """Draw the menu; the page the visitor is on, whose name the browser's tab then bears."""
    menu: dict[str, list[StreamlitPage]] = {}
    for entry in present():
        menu.setdefault(entry.section, []).append(page(entry))
    current = st.navigation(menu)
    name = APP if current.url_path == "" else f"{current.title} · {APP}"
    # An emoji is drawn by the browser itself; an icon by name would come from a font server.
    st.set_page_config(page_title=name, page_icon="🙂", layout="wide")
    return current


def dress() -> None:
    """Draw what themes have no setting for: links as such, and what is legible on dark pages."""
    dark = _BLACK_ON_ACCENT if st.context.theme.type == "dark" else ""
    # Beside something to show: Streamlit sends styles alone apart, after what they are for.
    st.sidebar.html(f"{_LOOK}{dark}<i hidden></i>")


def load_nothing_from_elsewhere() -> None:
    """Have the browser refuse whatever a page would load from another server."""
    if st.context.url:  # a browser asks
        st.sidebar.html(_POLICY, unsafe_allow_javascript=True)
