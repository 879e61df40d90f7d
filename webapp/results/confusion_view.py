"""Confusion matrices of one or two runs; a click on a cell lists its pictures."""

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from core.checkpoints import title_of
from core.errors import DataError
from core.evaluation import (
    SIX,
    Predictions,
    Run,
    cell,
    confident_mistakes,
    mcnemar,
    most_uncertain,
    shared_classes,
)
from core.labels import EMOTIONS
from webapp import checkpoints
from webapp.chart_frame import draw_chart
from webapp.charts.results import confusion_heat, difference_heat
from webapp.errors import sentence, shown_errors
from webapp.results import pickers, store
from webapp.results.picture_grid import picture_grid
from webapp.text import counted, literal, percent

CELL, MISTAKES, UNCERTAIN = "A cell", "Surest mistakes", "Least certain"
LISTED = 120  # pictures of the two lists that have no end of their own
TRUE, ANSWER, LIST, OF_RUN = "cell label", "cell answer", "list", "cell run"
WRITTEN = "cell written"  # into the address, by the page itself
LABEL, ANSWERED = "label", "answer"  # of the cell, in the page's address


def confusion_view() -> None:
    """Choose runs and images, draw the matrices, list pictures."""
    columns = st.columns([3, 3, 2, 2])
    with columns[0]:
        first = pickers.run_picker("Run", "run")
        if first is None:
            return
        place = pickers.place_picker(store.places(first), f"measured on {first.name}")
    with columns[1]:
        second = pickers.run_picker("Compare with", "against", other_than=first)
    runs = [first] if second is None else [first, second]
    places = [place, *(run.folder for run in runs[1:])]
    reports = [store.report(one) for one in places]
    known = [one["labels"] for one in reports]
    is_same = all(set(labels) == set(known[0]) for labels in known)
    with columns[0]:
        six = is_same and pickers.six_picker(reports[0])
    try:
        classes = shared_classes(known, six=six)
    except DataError as error:
        st.warning(f"{error} Choose others.")
        return
    part = reports[0].get(SIX, reports[0]) if set(classes) <= set(EMOTIONS) else reports[0]
    with columns[2]:
        split = pickers.split_picker(part)
    with columns[3]:
        source = pickers.source_picker(list(part["splits"][split]["per_source"]))
    # Both runs are judged on the same images: those of the first one's sources.
    sources = (source,) if source else tuple(part["splits"][split]["sources"])
    answers = {
        run.name: store.answers(one, split, sources, classes)
        for run, one in zip(runs, places, strict=True)
    }
    if not all(map(len, answers.values())):
        st.warning("The run to compare with was not evaluated on these images. Choose others.")
        return
    if not is_same:
        _say_shared(classes)
    _matrices(runs, [store.figures(one, split, sources, classes) for one in places])
    if second is not None:
        with shown_errors():
            _paired_test(first, second, answers)
    _pictures(runs, answers)


def _say_shared(classes: tuple[str, ...]) -> None:
    st.caption(
        "The two do not know the same classes, so both choose between "
        f"{', '.join(classes[:-1])} and {classes[-1]} here, on faces of these alone."
    )


def _matrices(runs: list[Run], figures: list[dict[str, Any]]) -> None:
    st.caption(
        "A row holds the pictures that raters gave a label, its cells what the network called "
        "them: the stronger the colour, the larger the share. Click a cell to see its pictures."
    )
    shares = st.toggle("Show the share of each row instead of counts, %", key="shares")
    labels = list(figures[0]["per_class"])
    columns = st.columns(len(runs))
    for number, (column, run, one) in enumerate(zip(columns, runs, figures, strict=True)):
        key = f"confusion {number}"
        low, high = one["intervals"]["accuracy"]
        draw_chart(
            place=column,
            figure=confusion_heat(
                one["confusion"],
                list(one["per_class"]),
                "shares" if shares else "counts",
                title_of(run.folder),
            ),
            key=key,
            numbers=True,
            on_select=partial(_take_click, key, run.name),
            selection_mode="points",
            alt=f"Confusion matrix of {run.name}; the list below can be chosen without it",
        )
        column.caption(
            f"{percent(one['accuracy'])} of {counted(one['n'], 'image')} on the diagonal "
            f"(95 %: {100 * low:.1f} to {100 * high:.1f})."
        )
    if len(runs) == 2:
        with st.expander("Where the two differ", expanded=True):
            draw_chart(
                difference_heat(figures[0]["confusion"], figures[1]["confusion"], labels),
                key="difference",
                numbers=True,
            )


def _take_click(key: str, run: str) -> None:
    """Carry a clicked cell over to the inputs that list its pictures."""
    points = st.session_state[key]["selection"]["points"]
    if points:
        true, answer = points[0]["customdata"][:2]
        st.session_state[TRUE], st.session_state[ANSWER] = true, answer
        st.session_state[LIST], st.session_state[OF_RUN] = CELL, run


def _paired_test(first: Run, second: Run, answers: dict[str, Predictions]) -> None:
    try:
        found = mcnemar(answers[first.name], answers[second.name])
    except DataError as error:
        st.info(literal(sentence(error)))
        return
    names = (literal(title_of(run.folder)) for run in (first, second))
    verdict, details = found.in_words(*names)
    st.markdown(f"**{verdict}**{details}")


def _pictures(runs: list[Run], answers: dict[str, Predictions]) -> None:
    st.subheader("Pictures")
    by_name = {run.name: run for run in runs}
    if st.session_state.get(OF_RUN) not in by_name:
        st.session_state[OF_RUN] = runs[0].name
    columns = st.columns(4)
    kind = columns[0].selectbox("List", (CELL, MISTAKES, UNCERTAIN), key=LIST)
    name = columns[1].selectbox(
        "Of run",
        list(by_name),
        format_func=checkpoints.titles(run.folder for run in runs).__getitem__,
        key=OF_RUN,
    )
    chosen = answers[name]
    if kind == CELL:
        _settle_cell(chosen)
        true = columns[2].selectbox("Label", chosen.labels, key=TRUE)
        answer = columns[3].selectbox("Answer", chosen.labels, key=ANSWER)
        if _in_address() != (true, answer):  # at once: each write is a step for Back
            st.query_params.update({LABEL: true, ANSWERED: answer})
        st.session_state[WRITTEN] = (true, answer)
        found = cell(chosen, true, answer)
        st.caption(f"{counted(len(found), 'picture')} labelled {true} and called {answer}.")
    elif kind == MISTAKES:
        found = confident_mistakes(chosen, LISTED)
        st.caption(f"Wrong answers with the highest confidence; {len(found)} at most.")
    else:
        found = most_uncertain(chosen, LISTED)
        st.caption("Answers whose two highest probabilities lie closest together.")
    with shown_errors():
        picture_grid(found, by_name[name], "grid")


def _in_address() -> tuple[str | None, str | None]:
    """The cell that the address names."""
    return st.query_params.get(LABEL), st.query_params.get(ANSWERED)


def _settle_cell(chosen: Predictions) -> None:
    """Begin with the most frequent confusion, and leave no class the run does not have."""
    labels = chosen.labels
    went_back = _in_address() != st.session_state.get(WRITTEN)
    shown = (st.session_state.get(TRUE), st.session_state.get(ANSWER))
    if went_back and shown == st.session_state.get(WRITTEN) and set(_in_address()) <= set(labels):
        st.session_state[TRUE], st.session_state[ANSWER] = _in_address()
    for key, parameter in ((TRUE, LABEL), (ANSWER, ANSWERED)):
        asked = st.query_params.get(parameter, "")
        if key not in st.session_state and asked in labels:
            st.session_state[key] = asked
    if st.session_state.get(TRUE) in labels and st.session_state.get(ANSWER) in labels:
        return
    wrong = chosen.where(~chosen.correct)
    pairs, counts = np.unique(np.stack([wrong.true, wrong.predicted]), axis=1, return_counts=True)
    true, answer = pairs[:, counts.argmax()] if len(counts) else (0, 0)
    st.session_state[TRUE], st.session_state[ANSWER] = labels[true], labels[answer]
