"""The view that starts a run: a preset or the form, what it will learn from, how long it takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from core.data import PAPER_SOURCES, SOURCES, source_names
from core.errors import CoreError
from core.files import free_name
from core.paths import read_only, run_root
from core.training import (
    TABLE_ROWS,
    RunConfig,
    RunFolder,
    known_speed,
    list_jobs,
    measured_speed,
    observe,
    preset,
    run_seconds,
)
from webapp import navigation
from webapp.errors import sentence, shown_errors
from webapp.text import counted, duration, literal
from webapp.training import actions, form, store

if TYPE_CHECKING:
    from core.models import LayerRow

SETS = {"rafdb": "RAF-DB", "fer2013": "FER2013", "fergimefive": "FER GiMEFiVE"}
RECIPES = {"modern": "modern, ours", "paper": "paper, as published"}
SET, ROW, RECIPE, NAME = "preset set", "preset row", "preset recipe", "run name"
NAMED_FOR = "run named for"  # the configuration that the proposed name says
FILLED = "run filled with"  # the configuration of the preset chosen last
# Settings that a visitor has made stay where another network or recipe is chosen.
KEPT = ("data", "split", "sources", "class_set", "epochs", "batch_size", "seed")
OWN_NAME = ""  # in its place where the visitor has typed a name
FEW_TO_JUDGE = 50  # validation pictures
LONGEST_NAME = 70  # with room for a number
MACHINE = "the machine this app runs on"
ORDER = ("train", "valid", "test")
PART_NAMES = {"train": "training", "valid": "validation", "test": "test"}


def show() -> None:
    """Draw the view."""
    if not store.data_sets():
        st.info(
            "There is no prepared data set yet. The page **Dataset explorer** prepares one, from "
            "files you have or from drawings to try things with."
        )
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
        return
    _presets()
    config, problems = form.read()
    if config is None:
        many = counted(len(problems), "setting")
        st.error(f"{many} must be changed below before this run can start.")
    else:
        with shown_errors():
            _ready(config)
    st.markdown("##### Settings")
    form.draw()


def _ready(config: RunConfig) -> None:
    """What would start, and the button that starts it; above the form, where it is seen."""
    parts = store.parts(
        store.data_sets()[config.data], config.split, config.sources, config.class_set
    )
    rows = store.layers(config.model, len(config.labels), config.model_options)  # or it cannot be
    start = st.container(border=True)
    if other := _other_data(config):
        start.warning(other)
    left, right = st.columns(2, gap="large")
    with left:
        fits = _data(config, parts)
    if fits:
        with start:
            _start(config)
    with right:
        _network(config, rows)
        _time(config, parts)


def _presets() -> None:
    left, middle, right = st.columns(3)
    chosen = left.selectbox(
        "Preset: image sets", SETS, format_func=SETS.__getitem__, key=SET,
        on_change=_take_preset, persist_state="session",
    )  # fmt: skip
    shared: dict[str, Any] = {
        "on_change": _take_preset, "args": (KEPT,), "persist_state": "session"
    }  # fmt: skip
    middle.selectbox(
        "Network", _rows(chosen), key=ROW, help="As in the rows of the paper's Table 2.", **shared
    )
    right.selectbox(
        "Recipe", RECIPES, format_func=RECIPES.__getitem__, key=RECIPE,
        help="How it is trained: learning rate, variation of the pictures, weights of the classes.",
        **shared,
    )  # fmt: skip
    fill_first()


def _other_data(config: RunConfig) -> str:
    """What the run would learn from instead of the preset's image sets; "" where it is those."""
    wanted = preset(_chosen_preset()).sources or PAPER_SOURCES
    held = config.sources or store.sources(store.data_sets()[config.data])
    if set(wanted) <= set(held):
        return ""
    every = store.all_sources()
    missing = [SOURCES[name].title for name in wanted if name not in every]
    text = (
        f"This run learns from **{literal(store.learned_from(config))}**, not "
        f"from the preset's image sets ({source_names(wanted)})."
    )
    if missing:
        text += (
            f" Not prepared here: {', '.join(missing)}. The page Dataset explorer prepares them."
        )
    return text


def _rows(chosen: str) -> list[str]:
    """Networks of a set's rows, the starred one first."""
    rows = TABLE_ROWS[chosen]
    return sorted(rows, key=lambda row: (row != "gimefive", rows.index(row)))


def _chosen_preset() -> str:
    chosen, row = st.session_state.get(SET, "rafdb"), st.session_state.get(ROW)
    if row not in TABLE_ROWS[chosen]:
        row = "gimefive"
    return f"{chosen}-{row}-{st.session_state.get(RECIPE, 'modern')}"


def _take_preset(kept: Sequence[str] = ()) -> None:
    """Fill the form as the preset says, but for these settings where the visitor changed them."""
    config = wanted = preset(_chosen_preset())
    former = st.session_state.get(FILLED)
    held, _ = form.read() if kept else (None, [])
    if held is not None and former is not None:
        pairs = {name: (getattr(former, name), getattr(held, name)) for name in kept}
        config = config.replaced(**{name: now for name, (was, now) in pairs.items() if was != now})
    form.load(wanted)
    st.session_state[FILLED], _ = form.read()
    form.load(config)
    held, _ = form.read()
    own_name = st.session_state.get(NAMED_FOR) == OWN_NAME and st.session_state.get(NAME)
    fill(config, own_name or proposed_name(held or config))
    if own_name:
        _own_name()


def fill(config: RunConfig, name: str) -> None:
    """Fill the form with a configuration and a name that is free; for callbacks."""
    form.load(config)
    st.session_state[NAME] = free_name(run_root(), name)
    held, _ = form.read()
    st.session_state[NAMED_FOR] = None if held is None else proposed_name(held)


def proposed_name(config: RunConfig) -> str:
    """The name of a run by what it learns from, what learns, and the recipe the form began with.

    >>> proposed_name(RunConfig(data="mine", model="resnet14"))
    'mine-resnet14-modern'
    """
    data = "-".join(one.replace("_", "") for one in config.sources) or config.data
    return f"{data}-{config.model}-{st.session_state.get(RECIPE, 'modern')}"[:LONGEST_NAME]


def _keep_name_true(config: RunConfig) -> None:
    """Propose another name where data or network are no longer those that the name says."""
    wanted = proposed_name(config)
    if st.session_state.get(NAMED_FOR, wanted) not in (wanted, OWN_NAME):
        st.session_state[NAME] = free_name(run_root(), wanted)
        st.session_state[NAMED_FOR] = wanted


def _own_name() -> None:
    """The visitor's own name stays whatever is changed; for callbacks."""
    st.session_state[NAMED_FOR] = OWN_NAME


def fill_first() -> None:
    """Fill a form that nobody has touched yet."""
    if not form.is_filled():
        _take_preset()


def _data(config: RunConfig, parts: store.Parts) -> bool:
    """Numbers and leaks of what the run learns from; whether it can learn from it."""
    st.markdown("##### What it learns from")
    st.markdown(
        f"{counted(parts.train, 'training picture')}, {parts.valid:,} for validation, "
        f"{parts.test:,} for the test."
    )
    for (first, second), number in sorted(parts.leaks.items()):
        have = "has" if number == 1 else "have"
        st.warning(
            f"**Leak:** {counted(number, f'{PART_NAMES[second]} picture')} {have} a copy among "
            f"the {PART_NAMES[first]} pictures, so figures on them flatter."
        )
    if not parts.leaks:
        st.success("No leak: no picture of one part has a copy in another.")
    if config.class_set == "seven" and parts.class_set == "six":
        st.error(
            "This data set was prepared without neutral faces, and the run learns seven classes. "
            "Choose six under Classes, or prepare the data with seven."
        )
        return False
    if parts.class_set != config.class_set:
        st.info("The neutral faces of this data set are left out: the run learns six classes.")
    if 2 <= parts.valid < FEW_TO_JUDGE:
        st.warning(
            f"Only {counted(parts.valid, 'picture')} to judge on: the validation accuracy jumps in "
            f"steps of {100 / parts.valid:.1f} points, and the best epoch is chosen by luck."
        )
    if min(parts.train, parts.valid) < 2:
        st.error(
            "There are not enough pictures to learn from or to choose the best epoch on. Choose "
            "another split or other image sets."
        )
        return False
    return True


def _network(config: RunConfig, rows: "list[LayerRow]") -> None:
    st.markdown("##### What learns")
    total = sum(row.parameters for row in rows)
    st.markdown(f"Network `{config.model}`, {counted(total, 'parameter')}.")
    if st.toggle("Show its layers", key="layers"):
        table = pd.DataFrame(
            {
                "Layer": [row.name for row in rows],
                "Kind": [row.kind for row in rows],
                "Output": [" x ".join(map(str, row.output)) for row in rows],
                "Parameters": [row.parameters for row in rows],
                "MB": [row.megabytes for row in rows],
            }
        )
        st.dataframe(
            table,
            hide_index=True,
            column_config={
                "Parameters": st.column_config.NumberColumn(format="localized"),
                "MB": st.column_config.NumberColumn(format="%.2f"),
            },
        )


def _time(config: RunConfig, parts: store.Parts) -> None:
    from core.models import MODELS

    st.markdown("##### How long it takes")
    side = MODELS[config.model].preprocess.crop
    speed = known_speed(run_root(), config, side)
    if speed is None and not read_only():
        if st.button(
            "Measure the speed here", key="measure", help=f"Trains a few steps on {MACHINE}."
        ):
            with st.spinner("Training a few steps …"):
                speed = measured_speed(config)
        else:
            st.caption(f"No run of these settings was made on {MACHINE} yet.")
    if speed is not None:
        seconds = run_seconds(config, parts.train, parts.valid, speed, side)
        early = ", less if it stops early" if config.patience else ""
        st.markdown(
            f"About **{duration(seconds)}** on {MACHINE} for "
            f"{counted(config.epochs, 'epoch')}{early}: "
            f"{speed.faces_per_second:,.0f} faces a second, {literal(speed.origin)}."
        )


def _start(config: RunConfig) -> None:
    if read_only():
        st.info("This server is read-only: runs are started on its command line.")
        return
    _keep_name_true(config)
    left, right = st.columns(2, vertical_alignment="bottom")
    name = left.text_input(
        "Name of the run", key=NAME, persist_state="session", on_change=_own_name
    ).strip()
    said = _name_problem(name)
    with right.container(horizontal=True):
        for title, now in (("Start", True), ("Add to queue", False)):
            st.button(
                title,
                key=title.lower(),
                type="primary" if now else "secondary",
                disabled=bool(said),
                on_click=_start_what_is_set,
                kwargs={"now": now},
            )
    if said:
        st.markdown(f":red[{literal(said)}]")
    before = sum(observe(folder).is_active for folder in list_jobs(run_root()))
    if before:
        st.caption(f"One run at a time on this machine: {counted(before, 'job')} before it.")


def _start_what_is_set(*, now: bool) -> None:
    """Start what the form holds by now: a value may have been typed just before the click."""
    config, _ = form.read()
    name = str(st.session_state[NAME]).strip()
    if config is not None and not _name_problem(name):
        actions.start(name, config, now=now)


def _name_problem(name: str) -> str:
    try:
        RunFolder.unused(run_root(), name)
    except CoreError as error:
        return sentence(error)
    return ""
