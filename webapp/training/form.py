"""The form of a run, made from the settings' own classes, with what is wrong beside each field."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import ConfigError
from core.training import RunConfig, Setting, option_settings, problem, run_settings, values_of
from webapp.charts.search import short
from webapp.errors import sentence
from webapp.text import literal
from webapp.training import store

KEY = "set "  # before the name of a setting; the widget's key
GROUPS: dict[str, tuple[str, ...]] = {
    "Data": ("data", "split", "sources", "class_set"),
    "Network": ("model", "initial"),
    "Learning": (
        "epochs", "batch_size", "learning_rate", "optimiser", "momentum", "nesterov",
        "weight_decay", "decay_all", "schedule", "warmup", "final_rate", "gradient_clip",
        "patience", "start_side", "grow_until",
    ),
    "Regularisation": ("label_smoothing", "class_weighting", "ema", "teacher", "teacher_share",
                       "rater_share"),
    "Augmentation": ("augment.",),
    "Machine": (
        "accelerator", "devices", "machines", "precision", "compile", "save_minutes", "seed",
    ),
}  # fmt: skip
WORDS = {
    "Learning": "How long it learns and in what steps. An epoch is one pass over all pictures; a "
    "batch is what it sees before it changes a little; the learning rate is how much it changes.",
    "Regularisation": "What keeps it from learning its pictures by heart.",
    "Augmentation": "How pictures are varied each time they are seen, so that few teach more.",
    "Machine": "Where it computes, and how exactly.",
}  # under the title of a group
REST = "More"  # for settings that came later
OPEN = ("Data",)
TITLES = {
    "ema": "EMA of weights", "data": "Data set", "sources": "Image sets", "class_set": "Classes",
    "decay_all": "Decay all values", "model": "Network", "initial": "Start from",
    "teacher_share": "Share of the teacher",
    "rater_share": "Share of raters' votes (FER+)",
    "model_options.fc_depth": "Linear layers", "model_options.depth": "Convolution blocks",
    "model_options.width": "Channels of the first",
}  # fmt: skip
COLUMNS = 3


def load(config: RunConfig) -> None:
    """Fill the form with a configuration, on a data set that is here; for callbacks."""
    config = _on_present_data(config)
    given = values_of(config)
    for setting in (*run_settings(), *_options(config.model)):
        value = given.get(setting.name, setting.default)
        st.session_state[KEY + setting.name] = list(value) if setting.kind == "names" else value


def is_filled() -> bool:
    """Whether the form holds a configuration."""
    return KEY + "model" in st.session_state


def read() -> tuple[RunConfig | None, list[str]]:
    """What the form holds, whether it was drawn yet or not.

    Returns:
        The configuration, None where a value is out of range; and what is wrong, one sentence each.
    """
    values = {setting.name: _settled(_narrowed(setting)) for setting in run_settings()}
    values |= {option.name: _settled(option) for option in _options(str(values["model"]))}
    problems = [said for name, value in values.items() if (said := _problem(name, value))]
    if problems:
        return None, problems
    try:
        return _configuration(values), []
    except ConfigError as error:
        return None, [sentence(error)]


def draw() -> None:
    """Draw the form, with what is wrong beside the fields."""
    settings = {setting.name: setting for setting in run_settings()}
    for title, names in _groups(list(settings)).items():
        with st.expander(title, expanded=title in OPEN, key=f"group {title}"):
            if title in WORDS:
                st.caption(WORDS[title])
            _fields([_narrowed(settings[name]) for name in names])
            if title == "Network":
                _fields(list(_options(str(st.session_state[KEY + "model"]))))


def _configuration(values: dict[str, Any]) -> RunConfig:
    """The configuration of flat values; options of the network only where they differ."""
    nested: dict[str, Any] = {"augment": {}, "model_options": {}}
    defaults = {option.name: option.default for option in _options(str(values["model"]))}
    for name, value in values.items():
        place, _, inner = name.partition(".")
        if place == "augment":
            nested[place][inner] = value
        elif place == "model_options":
            if value != defaults[name]:
                nested[place][inner] = value
        else:
            nested[name] = value
    return RunConfig.from_json(nested)


def _groups(names: list[str]) -> dict[str, list[str]]:
    """Names of the settings by group, in the groups' order; none is left out."""
    left = list(names)
    found: dict[str, list[str]] = {}
    for title, wanted in GROUPS.items():
        found[title] = [
            name
            for one in wanted
            for name in left
            if name == one or (one.endswith(".") and name.startswith(one))
        ]
        left = [name for name in left if name not in found[title]]
    return found | ({REST: left} if left else {})


def _fields(settings: list[Setting]) -> None:
    for start in range(0, len(settings), COLUMNS):
        row = settings[start : start + COLUMNS]
        for column, setting in zip(st.columns(COLUMNS), row, strict=False):
            with column:
                said = _problem(setting.name, _field(setting))
            if said:
                column.markdown(f":red[{literal(said)}]")


def _problem(name: str, value: object) -> str:
    return problem(name, value, str(st.session_state.get(KEY + "initial", "")))


def _settled(setting: Setting) -> Any:  # noqa: ANN401 - what the setting takes
    """The value of a field, in the place of its widget: one that the setting can take here."""
    key = KEY + setting.name
    value = st.session_state.setdefault(key, setting.default)
    if setting.kind == "choice" and value not in setting.choices:
        st.session_state[key] = setting.choices[0]
    if setting.kind == "number":
        st.session_state[key] = float(value)
    if setting.kind == "names":
        st.session_state[key] = [one for one in value if one in setting.choices]
        return tuple(st.session_state[key])
    return st.session_state[key]


def _field(setting: Setting) -> Any:  # noqa: ANN401 - what the setting takes
    """One widget; its value is kept while the visitor looks at other views."""
    title = TITLES.get(setting.name) or short(setting.name).capitalize()
    key = KEY + setting.name
    _settled(setting)
    shared: dict[str, Any] = {"key": key, "help": setting.help or None, "persist_state": "session"}
    if setting.kind == "choice":
        if setting.name == "model":
            shared["on_change"] = _reset_options
        return st.selectbox(title, setting.choices, **shared)
    if setting.kind == "switch":
        return st.toggle(title, **shared)
    if setting.kind == "whole":
        return st.number_input(title, step=1, **shared)
    if setting.kind == "number":
        return st.number_input(title, step=_step(setting), format="%.6g", **shared)
    if setting.kind == "names":
        return tuple(st.multiselect(title, setting.choices, placeholder="all", **shared))
    return st.text_input(title, **shared)


def _step(setting: Setting) -> float:
    """What an arrow adds: a tenth of a setting's order of size."""
    return 0.001 if 0 < setting.default < 0.06 else 0.01 if setting.default <= 1 else 1.0


def _narrowed(setting: Setting) -> Setting:
    """The choices that depend on what is on this machine."""
    if setting.name == "model":
        from core.models import MODELS  # loads torch

        return replace(setting, kind="choice", choices=tuple(MODELS))
    folders = store.data_sets()
    if setting.name == "data":
        return replace(setting, kind="choice", choices=tuple(folders))
    if setting.name == "split":
        return replace(setting, kind="choice", choices=("clean", "published"))
    if setting.name == "sources":
        folder = folders.get(str(st.session_state.get(KEY + "data")))
        return replace(setting, choices=tuple(store.sources(folder)) if folder else ())
    return setting


def _options(model: str) -> tuple[Setting, ...]:
    from core.models import MODELS  # loads torch

    return option_settings(MODELS[model].factory, MODELS[model].options)


def _reset_options() -> None:
    """Take the options of the row that was chosen."""
    for option in _options(st.session_state[KEY + "model"]):
        st.session_state[KEY + option.name] = option.default


def _on_present_data(config: RunConfig) -> RunConfig:
    """The configuration on its own data set, or else on the first here that has its image sets."""
    folders = store.data_sets()
    if config.data in folders or not folders:
        return config
    wanted = set(config.sources)
    fitting = [name for name, folder in folders.items() if wanted <= set(store.sources(folder))]
    if fitting:
        return config.replaced(data=fitting[0])
    return config.replaced(data=next(iter(folders)), sources=())


def current() -> RunConfig:
    """The configuration the form holds, also while another view is shown.

    Raises:
        ConfigError: A value is out of its range.
    """
    names = [setting.name for setting in run_settings()]
    names += [option.name for option in _options(st.session_state[KEY + "model"])]
    held = {name: st.session_state[KEY + name] for name in names if KEY + name in st.session_state}
    return _configuration(held)
