"""The view of searches: begin one, watch its trials, see which settings matter."""

import pandas as pd
import streamlit as st

from core.errors import ConfigError
from core.files import free_name
from core.paths import read_only, run_root
from core.training import (
    SPACES,
    Findings,
    RunFolder,
    Search,
    grid_size,
    observe,
    read_findings,
    trial_config,
)
from webapp import navigation
from webapp.chart_frame import draw_chart
from webapp.charts import search as charts
from webapp.errors import sentence, shown_errors
from webapp.text import counted, literal, percent
from webapp.training import actions, form, new_run, store
from webapp.training.actions import job_head, show_job

POLL = 2.0  # seconds
SHOWN = 10  # best trials
SPACE_TITLES = {"table3": "Table 3 of the paper", "recipe": "learning and augmentation"}
SAMPLERS = {
    "tpe": "TPE: Bayesian, from what was tried",
    "random": "random",
    "grid": "grid: every combination",
    "nsga2": "NSGA-II: a genetic algorithm",
}
PRUNERS = {"median": "median of the others", "hyperband": "Hyperband", "none": "none"}
GOALS = {"valid_accuracy": "validation accuracy", "valid_macro_f1": "validation macro-F1"}


def show() -> None:
    """Draw the view."""
    searches = store.searches()
    with st.container():
        if not read_only():
            with st.expander("New search", expanded=not searches, key="new search"):
                _new()
    if not searches:
        st.info("There is no search yet. Each trial of a search is a run with other settings.")
        return
    folder = searches[actions.linked_pick("Search", list(searches), actions.SEARCHED)]
    show_job(folder, _live, poll=POLL)


def _new() -> None:
    if not store.data_sets():
        st.info("There is no prepared data set yet. The page **Dataset explorer** prepares one.")
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
        return
    new_run.fill_first()
    columns = st.columns(3)
    space_name = columns[0].selectbox(
        "What varies", SPACES, format_func=SPACE_TITLES.__getitem__, key="space"
    )
    columns[1].selectbox(
        "How values are chosen", SAMPLERS, format_func=SAMPLERS.__getitem__, key="sampler"
    )
    columns[2].number_input("Trials", 1, 10_000, 20, key="trials")
    columns = st.columns(3)
    columns[0].selectbox(
        "Hopeless trials end early by", PRUNERS, format_func=PRUNERS.__getitem__, key="pruner"
    )
    columns[1].selectbox("Goal", GOALS, format_func=GOALS.__getitem__, key="goal")
    proposed = free_name(run_root(), f"search-{space_name}")
    name_key = f"search name {proposed}"  # another proposal begins anew
    columns[2].text_input("Name of the search", proposed, key=name_key)
    space = SPACES[space_name]
    # Not a multiselect: on a phone that shows four lines of its choices and cuts the fifth.
    varied = st.pills(
        "Settings that vary", list(space), selection_mode="multi", default=list(space),
        format_func=charts.short, key=f"varied {space_name}",
    )  # fmt: skip
    st.text_input(
        "Storage of the trials",
        placeholder="a file in its folder",
        help="Several machines share the trials of an Optuna storage URL.",
        key="storage",
    )
    size = grid_size({setting: space[setting] for setting in varied})
    trials = counted(int(st.session_state["trials"]), "trial")
    all_of = f" of {counted(size, 'combination')} in all" if size and varied else ""
    st.caption(f"{trials}{all_of}. All other settings come from the form under **New run**.")
    try:
        _held()
        learned = form.current()
    except ConfigError as error:
        st.error(literal(sentence(error)))
        return
    st.markdown(f"Every trial learns from **{literal(store.learned_from(learned))}**.")
    st.button(
        "Start the search",
        key="start search",
        type="primary",
        on_click=_start_what_is_set,
        args=(name_key,),
    )


def _held() -> Search:
    """The search that the inputs hold by now.

    Raises:
        ConfigError: It cannot be.
    """
    held = st.session_state
    space = SPACES[held["space"]]
    chosen = {setting: space[setting] for setting in held[f"varied {held['space']}"]}
    if not chosen:
        raise ConfigError("Nothing varies. Choose settings.")
    return Search(
        chosen,
        form.current(),
        sampler=held["sampler"],
        trials=int(held["trials"]),
        pruner=held["pruner"],
        goal=held["goal"],
        storage=held["storage"].strip(),
    )


def _start_what_is_set(name_key: str) -> None:
    """Start with what was typed just before the click as well; see `new_run`."""
    with shown_errors():
        actions.start_search(st.session_state[name_key].strip(), _held())


def _live(folder: RunFolder, drawn_state: str) -> None:
    """A search, as it is now; the whole page follows when its state does."""
    observed = observe(folder)
    if observed.state != drawn_state:
        st.rerun()
    job_head(folder, observed, observed.reason)
    with shown_errors():
        search, findings = Search.load(folder), read_findings(folder)
        _progress(folder, search, findings)
        if findings.best:
            _found(folder, search, findings)
        elif observed.state == "running":
            st.info("The first trial is under way.")


def _progress(folder: RunFolder, search: Search, findings: Findings) -> None:
    now = folder.progress()
    states = [trial.state for trial in findings.trials]
    with st.container(horizontal=True):
        st.metric("Trials done", f"{now.get('done', 0)} of {search.trials}")
        if findings.best:
            st.metric(f"Best {GOALS[search.goal]}", percent(findings.best[0].value or 0.0))
        st.metric("Ended early", states.count("pruned"))
        st.metric("Failed", states.count("failed"))
    st.caption(
        literal(
            f"Sampler {SAMPLERS[search.sampler]}; pruning by {PRUNERS[search.pruner]}; network "
            f"{search.base.model} on {search.base.data}; trials kept in {search.shown_storage}."
        )
    )


def _found(folder: RunFolder, search: Search, findings: Findings) -> None:
    draw_chart(charts.course(findings.trials), key="course", numbers=True)
    st.subheader("Best trials")
    best = findings.best[:SHOWN]
    rows = [
        {
            "Trial": trial.number,
            f"{GOALS[search.goal].capitalize()} %": store.percents(trial.value),
            **{charts.short(name): _value(value) for name, value in trial.chosen.items()},
            "Minutes": (trial.seconds or 0.0) / 60,
        }
        for trial in best
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="best trials",
        column_config={
            "Trial": st.column_config.NumberColumn(pinned=True),
            f"{GOALS[search.goal].capitalize()} %": st.column_config.NumberColumn(format="%.1f"),
            "Minutes": st.column_config.NumberColumn(format="%,.1f"),
        },
    )
    st.button(
        "Use the best settings for a new run",
        key="use best",
        on_click=_use_best,
        args=(folder, findings),
    )
    if findings.importance:
        st.subheader("What matters")
        draw_chart(charts.importance_bars(findings.importance), key="importance")
        st.caption(
            "Share of each setting in how the goal varies among the trials (PED-ANOVA). With few "
            "trials it is a hint, not a finding."
        )
    if len(findings.best) > 1:
        st.subheader("Every trial as a line")
        draw_chart(charts.parallel_coordinates(findings.trials), key="parallel")


def _value(value: object) -> str:
    """A value as it stands in the table: four digits say enough."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _use_best(folder: RunFolder, findings: Findings) -> None:
    with shown_errors():
        new_run.fill(trial_config(folder, findings.best[0]), f"{folder.name}-best")
        st.session_state[navigation.VIEW] = actions.NEW
