"""The view of all runs, and of one in depth: its curves move while it trains."""

import time
from functools import partial

import pandas as pd
import streamlit as st

from core.checkpoints import is_checkpoint
from core.paths import read_only, run_root
from core.training import RunFolder, WorkerLock, owed, values_of, waiting
from webapp import checkpoints, navigation
from webapp.chart_frame import EDGES, ROW, draw_chart
from webapp.charts import training as charts
from webapp.errors import show_log
from webapp.text import counted, duration, literal, percent
from webapp.training import actions, compare_view, new_run, store
from webapp.training.actions import job_head, show_job

STARTING = 15.0  # seconds within which a worker has begun
POLL = 1.0  # seconds; curves are to move within three of an epoch's end
FOLLOW = 2.0  # seconds between looks at the queue
TOOK = "run drawn in"  # seconds
TABLE, TABLE_DRAWN = "runs table", "runs table drawn"
SETTLING = 5.0  # seconds a page stands at least: epochs of less would draw its charts anew and anew
SHOWN = 15  # rows of the table without scrolling
FIND, GROUP = "find runs", "group runs"
GROUPS = {"": "latest first", "Data": "data", "Network": "network", "State": "state"}


def show() -> None:
    """Draw the view."""
    runs = store.runs()
    with st.container():  # whatever is in it, so that what is below keeps its place
        _queue()
    if not runs:
        st.info("There is no run yet. **New run** starts one.")
        navigation.link(navigation.EXPLORER, "Prepare a data set", **{navigation.OPEN: "Prepare"})
        return
    with st.container():
        table = _table(runs)
    st.session_state[TABLE_DRAWN] = time.monotonic()
    titles = checkpoints.titles(run.path for run in runs.values())
    folder = runs[actions.linked_pick("Run", list(runs), actions.RUN, titles)]
    # Where drawing takes longer than that, one drawing would end the other.
    poll = max(POLL, 2 * float(st.session_state.get(TOOK, 0.0)))
    show_job(folder, partial(_live, table.get(folder.name, "")), poll=poll)
    if is_checkpoint(folder.path):
        measured = (folder.path / "report.json").is_file()
        navigation.network_links(folder.name, measured=measured)
    _settings(folder)


def _queue() -> None:
    """Who works, what waits, and a button for either; the page follows when that changes."""
    number, unmeasured, works, begins = drawn = _queue_now()
    st.fragment(_follow_queue, run_every=FOLLOW)(drawn)
    if not (number or unmeasured or works):
        return
    left, right = st.columns([3, 2], vertical_alignment="center")
    words = "The queue is being worked on" if works else "Nobody works on the queue"
    if begins:
        words = "The queue is starting"
    if unmeasured:  # before the next job begins
        first, *more = unmeasured
        which = literal(first) + (f" and {len(more)} more" if more else "")
        words += f"; {which}, trained, " + ("being measured" if works else "still to be measured")
    left.caption(f"{words}; {counted(number, 'job')} waiting.")
    if read_only():
        return
    with right:
        if works:
            st.button("Stop the queue", key="rest", on_click=actions.rest)
        elif not begins:
            st.button("Work on the queue", key="work", on_click=actions.work, type="primary")


def _queue_now() -> tuple[int, tuple[str, ...], bool, bool]:
    """How many jobs wait, which trained ones are still to be measured, and who is at it.

    That is whether a worker is at work, and whether one was just asked to be.
    """
    works = WorkerLock(run_root()).is_held()
    begins = not works and time.time() - st.session_state.get(actions.BEGUN, 0.0) < STARTING
    unmeasured = tuple(folder.name for folder in owed(run_root()))
    return len(waiting(run_root())), unmeasured, works, begins


def _follow_queue(drawn: tuple[int, tuple[str, ...], bool, bool]) -> None:
    if _queue_now() != drawn:
        st.rerun()


def _table(runs: dict[str, RunFolder]) -> dict[str, str]:
    """The runs that were looked for, with ticks; how many epochs it says each has done."""
    left, right = st.columns([3, 1])
    words = left.text_input(
        "Find", key=FIND, placeholder="name, network, data or state", persist_state="session"
    )
    group = right.selectbox(
        "Order", GROUPS, format_func=GROUPS.__getitem__, key=GROUP, persist_state="session"
    )
    whole = store.overview(runs)
    table = arranged(whole, words, group)
    if table.empty:
        st.info("No run is called so. Look for something else.")
        return {}
    names = table["Run"].tolist()
    # Other rows are another table, so that no tick slips to another run.
    key = f"{TABLE} {group} {' '.join(names)}"
    picked = st.dataframe(
        table.drop(columns=["Own", "Words"]),
        hide_index=True,
        key=key,
        on_select=partial(_take_ticks, key, names),
        selection_mode="multi-row",
        height=ROW * (1 + min(len(table), SHOWN)) + EDGES,
        placeholder="-",
        alt=f"{counted(len(table), 'run')}, each with its state and best validation accuracy",
        column_config={
            "Run": st.column_config.TextColumn("Folder"),
            "Epochs": st.column_config.TextColumn(
                help="Passes over all training pictures: done, and planned; none where trained "
                "networks were joined or averaged"
            ),
            "Title": st.column_config.TextColumn(width=320),  # as long as the longest here
            "Data": st.column_config.TextColumn("On", width=170),
            "Best %": st.column_config.NumberColumn(
                "Validation %",
                format="%.1f",
                width=85,
                help="Validation accuracy of the weights kept: the share of pictures set aside "
                "whose label it gives.",
            ),
            "Course": st.column_config.LineChartColumn(
                "Validation by epoch", help="Accuracy from 20 % to 100 %", y_min=0.2, y_max=1
            ),
            "Changed": st.column_config.DatetimeColumn(format="distance"),
        },
    )
    st.caption(
        "Each run is judged on validation pictures of its own data: where “On” differs, so do the "
        "pictures, and the figures cannot be compared. More columns: scroll the table sideways."
    )
    _ticked([names[row] for row in picked["selection"]["rows"]])
    return dict(zip(whole["Run"], whole["Epochs"], strict=True))


def arranged(table: pd.DataFrame, words: str, group: str) -> pd.DataFrame:
    """Rows in which all the words occur; one's own runs first, and then by a column.

    Args:
        table: Of `store.overview`.
        words: In any order, in any case.
        group: A column; "" to leave the order.
    """
    texts = (
        table[["Run", "Title", "State", "Network", "Data", "Words"]]
        .agg(" ".join, axis=1)
        .str.lower()
    )
    kept = table[[all(word in text for word in words.lower().split()) for text in texts]]
    by = [*([group] if group else []), "Own"]
    # Stable: runs that do not differ in these stay the latest first.
    kept = kept.sort_values(by, ascending=[name != "Own" for name in by], kind="stable")
    # What a phone is to show first: the figure, whose it is, and on what it was reached.
    first = list(dict.fromkeys(["Best %", "Title", *([group] if group else []), "Data"]))
    return kept[[*first, *(name for name in kept if name not in (*first, "Run")), "Run"]]


def _take_ticks(key: str, names: list[str]) -> None:
    """Turn to the run ticked last."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        st.session_state[actions.RUN] = names[rows[-1]]


def _ticked(ticked: list[str]) -> None:
    """What the ticks are for, and the button that compares."""
    if len(ticked) < 2:
        st.caption("Tick a run to see it below, two or more to compare them.")
        return
    st.button(
        f"Compare the {len(ticked)} ticked runs",
        key="compare ticked",
        type="primary",
        on_click=compare_view.turn_to,
        args=(ticked,),
    )


def _live(drawn_epochs: str, folder: RunFolder, drawn_state: str) -> None:
    """A run, as it is now; table and page follow when its state or its epochs do."""
    found = store.read(folder)
    done = found.done
    is_old = time.monotonic() - st.session_state[TABLE_DRAWN] > SETTLING
    if found.observed.state != drawn_state or (drawn_epochs and done != drawn_epochs and is_old):
        st.rerun()
    begun = time.monotonic()
    try:
        _draw(folder, found)
    finally:
        st.session_state[TOOK] = time.monotonic() - begun


def _draw(folder: RunFolder, found: store.Reading) -> None:
    job_head(folder, found.observed, found.doing)
    moments = list(folder.step_history())
    _figures(found)
    if not found.history and not moments:
        st.info(
            "Waiting for its turn …" if found.observed.state == "queued" else
            "The first figures come with the first batches of pictures."
            if found.observed.state == "running" else
            "Trained networks were joined or averaged, so there are no epochs to show."
            if found.observed.state == "finished" and not found.epochs else
            "It ended before its first epoch did."
        )  # fmt: skip
    _curves(folder.name, found, moments)
    show_log(folder.log, folder.path / "output.log", empty="Nothing yet.")


def _curves(name: str, found: store.Reading, moments: list[dict[str, float]]) -> None:
    history = found.history
    if history:
        left, right = st.columns(2)
        draw_chart(charts.loss_curves(history, name), "losses", place=left, numbers=True)
        draw_chart(charts.accuracy_curves(history, name), "accuracies", place=right, numbers=True)
        st.caption(
            "The loss says how far the answers are from the labels; less is better. Training is "
            "measured on varied, smoothed and weighted examples, validation on plain ones: the "
            "first may well be the worse. Where validation falls behind more and more, the network "
            "learns its pictures by heart."
        )
    if history or moments:
        left, right = st.columns(2)
        if moments:
            draw_chart(charts.batch_loss_curve(moments, name), "batches", place=left)
        draw_chart(charts.rate_curve(moments, history, name), "rates", place=right)


def _figures(found: store.Reading) -> None:
    best, now = found.kept, found.now
    with st.container(horizontal=True):
        st.metric(
            "Epochs done",
            found.done,
            help="An epoch is one pass over all training pictures.",
        )
        if best:
            where = f"epoch {best['epoch']}" if best["epoch"] else "at its start"
            st.metric(
                f"Best validation accuracy, {where}",
                percent(best["valid_accuracy"]),
                help="The share of the pictures set aside whose label it gives.",
            )
            st.metric(
                "Its macro-F1",
                percent(best["valid_macro_f1"]),
                help="The mean of every expression's F1: rare ones count as much as others.",
            )
        if now:
            st.metric("Faces a second", f"{now['faces_per_second']:,.0f}")
            left = max(0.0, now["eta_seconds"] - (time.time() - now["time"]))
            st.metric("Time left", duration(left))
        elif found.history:
            taken = sum(line["seconds"] for line in found.history)
            st.metric("Time taken", duration(taken))
    if found.observed.state == "running":
        st.progress(found.share, text=f"{percent(found.share)}: {literal(found.doing)}")


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
        st.session_state[navigation.VIEW] = actions.NEW
