"""Inputs that several pages share."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import streamlit as st

from core import CheckpointError
from core.checkpoints import DEFAULT_CHECKPOINT, find_checkpoint, list_checkpoints
from core.drawing import OPACITY, SHOWN, ColourMap, Style, default_colours
from core.explain import EXPLAINERS, SLOW_PASSES, MethodInfo, model_layers, recommended_method
from core.faces import DEFAULT_DETECTOR, DETECTORS
from core.types import WHOLE
from webapp import cache, checkpoints
from webapp.errors import shown_errors
from webapp.text import literal

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.explain import Layer
    from core.predict import Predictor

OPACITY_HELP = (
    "Of the strongest evidence. Weaker evidence is fainter, and where there is none the face is "
    "untouched. A line goes around the strongest place: whole for, broken against."
)
COLOUR_TITLES = {"jet": "jet, as in the paper", "diverging": "violet for, yellow-green against"}
LAST = "last "  # begins the key of what was chosen last in this visit
OWN_LAYER = ""  # in place of a layer's name: the method's own choice
DETECTOR_TITLES = {
    DEFAULT_DETECTOR: "Automatic",
    "blazeface": "BlazeFace, fastest",
    "dlib_hog": "HOG, part of dlib",
    "haar": "Viola-Jones, as in the paper",
    WHOLE: "None: the picture is one face",
}


def checkpoint_picker() -> Path | None:
    """The checkpoint's folder; None where there is none at all, which the page then says."""
    folders = {folder.name: folder for folder in list_checkpoints()}
    with shown_errors():
        _check_link(list(folders))
    if not folders:
        with shown_errors():
            find_checkpoint("default")
        return None
    titles = checkpoints.titles(checkpoints.own_first(folders.values()))
    name = linked_choice(
        "Network",
        titles,
        "checkpoint",
        "The trained network (checkpoint) that answers; your own come first.",
        initial=DEFAULT_CHECKPOINT,
        lasting=True,
    )
    if words := checkpoints.caution(folders[name]):
        st.sidebar.warning(literal(words))
    return folders[name]


def linked_choice(
    label: str,
    titles: Mapping[str, str],
    key: str,
    explanation: str = "",
    place: "DeltaGenerator | None" = None,
    initial: str = "",
    *,
    lasting: bool = False,
) -> str:
    """A select box in the sidebar whose choice is part of the page's address.

    Streamlit's own binding would write titles into the address; links should hold names, which
    never change.

    Args:
        label: Above the box.
        titles: Name of each option and how it is shown.
        key: Of the widget and of the parameter in the address.
        explanation: Shown behind the question mark.
        place: Where the box is drawn; None for the end of the sidebar.
        initial: Chosen unless the address names another; the first where there is no such option.
        lasting: Whether the choice goes along to other pages, whose links do not name it.
    """
    names = list(titles)
    initial = initial if initial in titles else names[0]
    asked = st.query_params.get(key, "")
    former = str(st.session_state.get(f"{LAST}{key}", "")) if lasting else ""
    begun = next((one for one in (asked, former) if one in titles), initial)
    name: str = (place or st.sidebar).selectbox(
        label,
        names,
        index=names.index(begun),
        format_func=lambda name: titles[name],
        key=key,
        help=explanation or None,
    )
    if lasting:
        st.session_state[f"{LAST}{key}"] = name
    if name == initial:
        st.query_params.pop(key, None)
    elif asked != name:
        st.query_params[key] = name
    return name


def _check_link(names: list[str]) -> None:
    """Say so where a link names a checkpoint that is not here; names only, never server paths."""
    asked = st.query_params.get("checkpoint", "")
    if asked and asked not in names:
        raise CheckpointError(
            f"The link asks for a checkpoint {asked!r}, which is not here. "
            "Choose one of those on the left."
        )


def loaded(folder: Path) -> "Predictor | None":
    """The checkpoint ready for use; None, and a sentence on the page, where it cannot be used."""
    with shown_errors():
        return cache.predictor(folder)
    return None


def detector_picker() -> str:
    """Name of a face detector, "auto", or `WHOLE`."""
    names = [DEFAULT_DETECTOR, *(name for name in DETECTORS if name != DEFAULT_DETECTOR)]
    return linked_choice(
        "Face detector",
        {name: DETECTOR_TITLES.get(name, name) for name in [*names, WHOLE]},
        "detector",
        "Automatic tries BlazeFace, then HOG; a tiny picture without a find is taken whole.",
        lasting=True,
    )


def method_picker(checkpoint: Path | None) -> MethodInfo:
    """How the maps are made; first the method that held best when the checkpoint was measured."""
    first = recommended_method(checkpoint) if checkpoint is not None else next(iter(EXPLAINERS))
    names = [first, *(name for name in EXPLAINERS if name != first)]
    titles = {
        name: f"{EXPLAINERS[name].title} (slow)"
        if EXPLAINERS[name].passes >= SLOW_PASSES
        else EXPLAINERS[name].title
        for name in names
    }
    titles["grad_cam"] += ", as in the paper"
    name = linked_choice("Method of explanation", titles, "method")
    info = EXPLAINERS[name]
    if info.caveat:
        st.sidebar.caption(literal(info.caveat))
    return info


def layer_picker(model: "Predictor", method: MethodInfo, place: "DeltaGenerator") -> str:
    """The layer that is explained; OWN_LAYER where the method chooses, or takes no layer.

    Args:
        model: Whose layers are offered.
        method: For which.
        place: Where the box is drawn.
    """
    if not method.any_layer:
        return OWN_LAYER
    titles = {layer.name: _layer_title(layer) for layer in layers_of(model) if layer.is_explainable}
    return linked_choice(
        "Layer",
        {OWN_LAYER: "Chosen for the method", **titles},
        "layer",
        "A network looks in steps, its layers. Early ones have many small fields (cells) and know "
        "edges; late ones have few and know parts of the face.",
        place,
    )


def layers_of(model: "Predictor") -> "list[Layer]":
    """Every layer that a face passes, first to last."""
    import torch

    spec = model.card.preprocess
    return model_layers(model.model, torch.zeros(1, spec.channels, spec.crop, spec.crop))


def _layer_title(layer: "Layer") -> str:
    channels, height, width = layer.shape
    return f"{layer.name}: {channels} x {height} x {width}"


def style_controls(labels: tuple[str, ...], *, signed: bool) -> Style:
    """What is drawn and how.

    Args:
        labels: The checkpoint's classes.
        signed: Whether the maps hold evidence against a class as well.
    """
    target = st.sidebar.selectbox(
        "Map shows the evidence for",
        [SHOWN, *labels],
        format_func=lambda name: "the predicted expression" if name == SHOWN else name,
        key="target",
        persist_state="session",
    )
    colours: ColourMap = st.sidebar.selectbox(
        "Colours",
        _fitting_colours(signed=signed),
        format_func=lambda name: COLOUR_TITLES.get(name, name),
        key=f"colours {signed}",
        persist_state="session",
    )
    opacity = st.sidebar.slider(
        "Opacity of the map", 0, 100, round(100 * OPACITY), 5, format="%d %%", key="opacity",
        persist_state="session", help=OPACITY_HELP,
    )  # fmt: skip
    boxes = st.sidebar.toggle("Boxes", value=True, key="boxes", persist_state="session")
    landmarks = st.sidebar.toggle(
        "68 landmarks", value=True, key="landmarks", persist_state="session"
    )
    return Style(
        landmarks=landmarks,
        boxes=boxes,
        opacity=opacity / 100,
        target=target,
        colours=colours,
    )


def _fitting_colours(*, signed: bool) -> list[ColourMap]:
    """The default first; signed maps need colours for both signs."""
    first = default_colours(signed=signed)
    others: tuple[ColourMap, ...] = () if signed else get_args(ColourMap)
    return [first, *(name for name in others if name not in (first, "diverging"))]
