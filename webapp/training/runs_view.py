"""The view of all runs, and of one in depth: its curves move while it trains."""

import time

import streamlit as st

from core.checkpoints import is_checkpoint
from core.paths import read_only, run_root
from core.training import RunFolder, WorkerLock, observe, values_of, waiting
from webapp import navigation
from webapp.charts import training as charts
from webapp.text import counted, literal, percent
from webapp.training import actions, new_run, store
from webapp.training.actions import duration, show_job

POLL = 1.0  # seconds; curves are to move within three of an epoch's end
QUIET = {"displayModeBar": False}
TABLE = "runs table"
MOMENT = {"faces_per_second", "eta_seconds", "time", "epoch", "epochs", "step", "steps", "share"}


def show() -> None:
    """Draw the view."""
    runs = store.runs()
    _queue(runs)
    if not runs:
        st.info("There is no run yet. **New run** starts one.")
        navigation.link(navigation.EXPLORER, "Prepare a data set", view="Prepare")
        return
    _table(runs)
    folder = runs[actions.linked_pick("Run", list(runs), actions.RUN)]
    show_job(folder, _live, poll=POLL)
    if is_checkpoint(folder.path):
        measured = (folder.path / "report.json").is_file()
        navigation.network_links(folder.name, measured=measured)
    _settings(folder)


def _queue(runs: dict[str, RunFolder]) -> None:
    """Who works, how many wait, and a button for either."""
    number = len(waiting(run_root()))
    works = WorkerLock(run_root()).is_held()
    if not (number or works):
        return
    left, right = st.columns([3, 2], vertical_alignment="center")
    words = "The queue is being worked on" if works else "Nobody works on the queue"
    left.caption(f"{words}; {counted(number, 'job')} waiting.")
    if read_only():
        return
    with right:
        if works:
            st.button("Stop the queue", key="rest", on_click=actions.rest)
        else:
            st.button("Work on the queue", key="work", on_click=actions.work, type="primary")


def _table(runs: dict[str, RunFolder]) -> None:
    table = store.overview(runs)
    st.dataframe(
        table,
        hide_index=True,
        key=TABLE,
        on_select=_take_row,
        selection_mode="single-row",
        height=min(38 + 35 * len(table), 290),
        placeholder="-",
        column_config={
            "Progress": st.column_config.ProgressColumn(format="percent"),
            "Best": st.column_config.NumberColumn(
                format="percent", help="Highest validation accuracy of an epoch"
            ),
            "Course": st.column_config.LineChartColumn(
                help="Validation accuracy over the epochs", y_min=0, y_max=1
            ),
            "Changed": st.column_config.DatetimeColumn(format="distance"),
        },
    )


def _take_row() -> None:
    """Turn to the run whose row was clicked."""
    rows = st.session_state[TABLE]["selection"]["rows"]
    names = list(store.runs())
    if rows and rows[0] < len(names):
        st.session_state[actions.RUN] = names[rows[0]]


def _live(folder: RunFolder, drawn_state: str) -> None:
    """What changes while a run goes on; the whole page follows when its state does."""
    observed = observe(folder)
    if observed.state != drawn_state:
        st.rerun()
    history, moments = store.history(folder), list(folder.step_history())
    _figures(folder, history, running=observed.state == "running")
    if not history and not moments:
        st.info(
            "Waiting for its turn …" if observed.state == "queued" else
            "Loading data and network; the first figures come with the first batches."
            if observed.state == "running" else "It ended before its first epoch did."
        )  # fmt: skip
    name = folder.name
    if history:
        left, right = st.columns(2)
        left.plotly_chart(charts.loss_curves(history, name), key="losses", config=QUIET)
        right.plotly_chart(charts.accuracy_curves(history, name), key="accuracies", config=QUIET)
        st.caption(
            "Training loss and accuracy are measured on varied, smoothed and weighted examples, "
            "validation on plain ones: the first may well be the worse."
        )
    if history or moments:
        left, right = st.columns(2)
        with left:
            if moments:
                st.plotly_chart(charts.batch_loss_curve(moments, name), key="batches", config=QUIET)
        right.plotly_chart(charts.rate_curve(moments, history, name), key="rates", config=QUIET)
    if not read_only():
        with st.expander("Log", key="log"):
            st.code(store.log_tail(folder) or "Nothing yet.", language=None, wrap_lines=True)


def _figures(folder: RunFolder, history: list[dict[str, float]], *, running: bool) -> None:
    settings = store.config(folder)
    epochs = settings.epochs if settings else 0
    best = folder.kept()
    now = folder.progress() if running else {}
    now = now if set(now) >= MOMENT else {}
    with st.container(horizontal=True):
        st.metric("Epochs done", f"{len(history)} of {epochs}")
        if best:
            where = f"epoch {best['epoch']}" if best["epoch"] else "at its start"
            st.metric(f"Best validation accuracy, {where}", percent(best["valid_accuracy"]))
            st.metric("Its macro-F1", percent(best["valid_macro_f1"]))
        if now:
            st.metric("Faces a second", f"{now['faces_per_second']:,.0f}")
            left = max(0.0, now["eta_seconds"] - (time.time() - now["time"]))
            st.metric("Time left", duration(left))
        elif history:
            st.metric("Time taken", duration(sum(line["seconds"] for line in history)))
    if now:
        where = f"epoch {now['epoch']} of {now['epochs']}, batch {now['step']} of {now['steps']}"
        st.progress(min(1.0, now["share"]), text=f"{percent(now['share'])}: {where}")


def _settings(folder: RunFolder) -> None:
    settings = store.config(folder)
    if settings is None:
        return
    with st.expander("Settings", key="settings"):
        st.button(
            "Use these settings for a new run",
            key="reuse",
            on_click=_reuse,
            args=(folder,),
        )
        lines = [
            f"| {name} | {literal(str(value))} |" for name, value in values_of(settings).items()
        ]
        st.markdown("\n".join(["| setting | value |", "|---|---|", *lines]))


def _reuse(folder: RunFolder) -> None:
    settings = store.config(folder)
    if settings is not None:
        new_run.fill(settings, folder.name)
        st.session_state[actions.VIEW] = actions.NEW
