"""Where data comes from: how to get each set, and preparing one or the drawn demo."""

from pathlib import Path

import streamlit as st

from core import CoreError
from core.data import DEMO, NO_NAMES, SOURCES, NameMap, Understood
from core.files import free_name
from core.labels import CLASS_SETS, NEUTRAL
from core.paths import data_root, read_only
from webapp import navigation, widgets
from webapp.dataset_explorer import address, preparing, store
from webapp.errors import sentence, show_log, shown_errors
from webapp.inputs import LARGEST_UPLOAD, data_place
from webapp.text import counted, literal

LOOK_SECONDS = 5  # what lies in a folder is looked at anew after these
PARTS = {"train": "to learn from", "valid": "to choose by", "test": "to test on"}
KEPT = "prepare kept"  # the uploaded file that was written last
SOURCES_KEY = "prepare sources"
WATCHED = "prepare watched"  # name of the data set this visitor waits for


def data_picker(folders: dict[str, Path]) -> Path | None:
    """The data set to explore, chosen in the sidebar; None where none is prepared."""
    if not folders:
        return None
    asked = st.query_params.get(address.DATA)
    if asked is not None and asked not in folders:
        st.warning(
            f"The link asks for a data set {literal(repr(asked[:80]))}, which is not prepared "
            "here. Choose one of those on the left."
        )
    name = widgets.linked_choice("Data set", {name: name for name in folders}, address.DATA)
    return folders[name]


def announce(view: str) -> None:
    """Say what is being prepared, and once how it ended, where the view does not."""
    now = preparing.running()
    if view != address.PREPARE and now is not None:
        st.session_state[WATCHED] = now.name
        _progress(now.name)
        return
    ended = preparing.read(st.session_state.get(WATCHED, ""))
    if view == address.PREPARE or ended is None:
        return
    if ended.state == "failed":
        _failed(ended)
    else:
        st.toast(f"{literal(ended.name)} is ready.")
    del st.session_state[WATCHED]


def prepare() -> None:
    """Offer to prepare sources below the data root, or the demo; show what is under way."""
    st.subheader("Prepare a data set")
    now = preparing.running()
    if now is not None:
        st.session_state[WATCHED] = now.name
        _progress(now.name)
    elif read_only():
        st.info("This server is read-only: data sets are prepared on the command line.")
    else:
        _outcome()
        _demo()
        _form()


def how_to_get() -> None:
    """Where each set comes from and what may be done with it."""
    st.subheader("How to get the image sets")
    st.caption("Terms as we understand them; what each publisher says decides.")
    for source in SOURCES.values():
        if source.url:
            st.markdown(
                f"**[{literal(source.title)}]({source.url}).** {source.obtain} *{source.licence}*"
            )
    st.caption(
        "Other folders are recognised, too: one folder a class, or files named NAME_emotion.jpg "
        "with tables of names and numbers, as the paper has them."
    )


def _demo() -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            "**Try it with drawings.** 900 faces drawn by code, six expressions, ready in a minute."
        )
        if st.button("Prepare the demo", key="prepare demo"):
            _begin(DEMO, [DEMO])


def _form() -> None:
    place = st.container(border=True)
    place.markdown(
        "**Prepare your own files.** Upload a zip, as downloaded or of a folder of yours, or put "
        "zips and folders into the app's data folder, and choose them here.",
        help=f"The data folder is {data_place()}.",
    )
    with place:
        _upload()
    found = preparing.candidates()
    chosen = place.multiselect(
        "Zips, folders and pixel tables",
        found,
        placeholder="choose one or several" if found else "nothing is there yet",
        disabled=not found,
        key=SOURCES_KEY,
    )
    left, middle, right = place.columns(3)
    name = left.text_input(
        "Name of the new data set",
        free_name(data_root(), "my-data"),
        max_chars=60,
        key="prepare name",
    )
    titles = {"": "recognise each", **{key: one.title for key, one in SOURCES.items()}}
    kind = middle.selectbox(
        "Read them as", titles, format_func=titles.__getitem__, key="prepare kind"
    )
    classes = {name: f"{name}, with neutral" if NEUTRAL in labels else name
               for name, labels in CLASS_SETS.items()}  # fmt: skip
    class_set = right.selectbox(
        "Classes", classes, format_func=classes.__getitem__, key="prepare classes"
    )
    left, right = place.columns(2)
    class_map = left.text_input(
        "What names mean",
        placeholder="1=anger, misc=skip",
        key="prepare map",
        help="Which expression a folder, number or word of yours stands for; skip leaves its "
        "pictures out. On the command line this is `--map`.",
    )
    split_map = right.text_input(
        "Which split a folder is",
        placeholder="archive=train",
        key="prepare splits",
        help="Whether its pictures are to learn from (train), to choose by (valid), to test on "
        "(test), or left out (skip). On the command line this is `--split-map`.",
    )
    with place, shown_errors():
        names = NameMap.parse(_pairs(class_map), _pairs(split_map))
        is_open = bool(chosen) and _understood(tuple(chosen), kind, class_set, names)
        if st.button("Prepare", type="primary", disabled=is_open or not chosen, key="prepare"):
            _begin(name.strip(), chosen, kind, class_set, names)


def _upload() -> None:
    """Take a visitor's zip, write it below the data root once, and choose it."""
    file = st.file_uploader(
        "Zip of one folder a class, or of pictures with a table",
        type="zip",
        max_upload_size=LARGEST_UPLOAD,
        key="prepare upload",
    )
    if file is None or st.session_state.get(KEPT) == file.file_id:
        return
    bar = st.progress(0.0, "Writing it to disk …")
    with shown_errors():
        path = preparing.keep_upload(file.name, file, file.size, bar.progress)
        st.session_state[KEPT] = file.file_id
        chosen = st.session_state.get(SOURCES_KEY, [])
        st.session_state[SOURCES_KEY] = [*chosen, *([] if path in chosen else [path])]
    bar.empty()


def _pairs(text: str) -> list[str]:
    """Pairs out of a field; what a message names for the command line may be pasted as it is."""
    parts = text.replace("--split-map", ",").replace("--map", ",").split(",")
    return [part.strip() for part in parts if part.strip()]


def _understood(chosen: tuple[str, ...], kind: str, class_set: str, names: NameMap) -> bool:
    """Show what was understood of the sources; whether a question is open."""
    try:
        found = _look(chosen, kind, class_set, *names.pairs())
    except CoreError as error:
        st.warning(literal(sentence(error)))
        return False
    for one in found:
        counts = f"{counted(one.taken, 'picture')}, {one.left_out:,} left out"
        st.markdown(f"**{literal(one.name)}**, read as {SOURCES[one.source].title}: {counts}.")
        st.dataframe(one.table(), hide_index=True)
        for remark in one.remarks():
            st.info(literal(remark))
        for question in one.questions:
            st.warning(literal(question))
    is_open = any(one.questions for one in found)
    if is_open or any("--map" in remark for one in found for remark in one.remarks()):
        st.caption(
            "Here, `--map` is the field **What names mean** and `--split-map` **Which split a "
            "folder is**; what a set is, as in `fer2013=PATH`, is chosen in **Read them as**."
        )
    return is_open


@st.cache_data(ttl=LOOK_SECONDS, max_entries=8, show_spinner="Looking at what is there …")
def _look(
    chosen: tuple[str, ...],
    kind: str,
    class_set: str,
    class_map: tuple[str, ...],
    split_map: tuple[str, ...],
) -> tuple[Understood, ...]:
    return preparing.look(chosen, kind, class_set, NameMap.parse(class_map, split_map))


def _begin(
    name: str,
    chosen: list[str],
    kind: str = "",
    class_set: str = "six",
    names: NameMap = NO_NAMES,
) -> None:
    with shown_errors():
        preparing.begin(name, chosen, kind, class_set, names)
        st.session_state[WATCHED] = name
        st.rerun()


def _outcome() -> None:
    """How the preparation ended that this visitor waited for."""
    ended = preparing.read(st.session_state.get(WATCHED, ""))
    if ended is None:
        return
    if ended.state == "failed":
        _failed(ended)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(f"{literal(ended.name)} is ready.")
        st.button("Explore it", type="primary", on_click=_explore, args=(ended.name,))
        navigation.link(navigation.TRAINING, "Train on it", **{navigation.OPEN: "New run"})
        # Folded, or all below it moves when the data set has been read.
        with st.popover("What is in it", type="tertiary"), shown_errors():
            st.markdown(_split_in_words(ended.target))
    with shown_errors():
        if not (store.pictures(ended.target)["clean"] == "train").any():
            st.warning(
                f"{literal(ended.name)} is prepared, but nothing is left to learn from: *What is "
                "in it* says why."
            )


def _failed(ended: preparing.Preparation) -> None:
    st.error(literal(f"{ended.name}: {ended.message}"))
    show_log(preparing.log_path(ended.name))


def _split_in_words(folder: Path) -> str:
    """How many pictures each part of the clean split has, and how many none, with the reasons."""
    table = store.pictures(folder)
    parts = table["clean"].value_counts()
    said = [f"{int(parts.get(part, 0)):,} {word}" for part, word in PARTS.items()]
    words = f"**{counted(len(table), 'picture')}:** {', '.join(said)}."
    left_out = table.loc[table["clean"] == "drop", "reason"].value_counts()
    if len(left_out):
        reasons = ", ".join(f"{literal(str(name))} {number:,}" for name, number in left_out.items())
        words += (
            f" {int(left_out.sum()):,} are in no part, so that nothing is learned twice or judged "
            f"by what was learned ({reasons}); the view Pictures shows them."
        )
    if parts.get("valid", 0) and not parts.get("test", 0):
        words += " There is no test part: networks are judged on the validation part."
    return words


def _explore(name: str) -> None:
    del st.session_state[WATCHED]
    # Without the old name in the address, what stands in the session decides.
    st.query_params.pop(address.DATA, None)
    st.session_state[address.DATA] = name
    address.show_view(address.OVERVIEW)


@st.fragment(run_every=1.0)
def _progress(name: str) -> None:
    now = preparing.read(name)
    if now is None or now.state != "running":
        st.rerun()
    words = f"{now.doing.capitalize()} …"
    if now.total:
        words = f"{words} {now.done:,} of {counted(now.total, 'picture')}"
    st.markdown(f"**{literal(name)}** is being prepared; you may go to other pages meanwhile.")
    st.progress(now.done / now.total if now.total else 0.0, text=words)
    if not read_only():
        st.button("Stop", on_click=preparing.stop, args=(name,), disabled=not now.pid)
