"""One run in depth: all figures with intervals, its classes, and its confidence."""

from typing import Any

import pandas as pd
import streamlit as st

from core.evaluation import SIX
from webapp.chart_frame import draw_chart, emotion_column, table_height
from webapp.charts.results import reliability_chart, risk_coverage_chart
from webapp.results import pickers, store
from webapp.text import literal, percent

FIGURES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro-F1",
    "balanced_accuracy": "Balanced accuracy",
    "ece": "Calibration error",
}
HELP = {
    "accuracy": "Share of pictures whose answer is the label that raters gave.",
    "macro_f1": "Mean of every expression's F1 (of precision and recall): rare ones count as much.",
    "balanced_accuracy": "Mean of the shares found of every expression: rare ones count as much.",
    "ece": "How far the stated probabilities are from the shares of right answers; less is better.",
}


def confidence_view() -> None:
    """Figures, classes, reliability and the price of answering less."""
    left, right = st.columns(2)
    with left:
        run = pickers.run_picker("Run", "run")
        if run is None:
            return
        report = store.report(pickers.place_picker(store.places(run), f"measured on {run.name}"))
        part = report[SIX] if pickers.six_picker(report) else report
    with right:
        split = part["splits"][pickers.split_picker(part)]
    _headline(split)
    table = _class_table(split)
    st.dataframe(
        table,
        hide_index=True,
        key="classes",
        height=table_height(len(table)),
        column_config={
            "Class": emotion_column(split["per_class"], pinned=True, width=110),
            "Images": st.column_config.NumberColumn(format="localized"),
        },
    )
    left, right = st.columns(2)
    with left:
        st.subheader("Is confidence right?")
        draw_chart(reliability_chart(split["reliability"]), key="reliability", numbers=True)
        st.caption(literal(_calibration(report)))
    with right:
        st.subheader("Answering only the surer part")
        unclear = split["unclear"]
        draw_chart(
            risk_coverage_chart(
                split["risk_coverage"],
                threshold=unclear["threshold"],
                coverage=unclear["coverage"],
                accuracy=unclear["accuracy_answered"],
            ),
            key="risk",
            numbers=True,
        )
        st.caption(literal(_unclear(report, unclear)))


def _headline(split: dict[str, Any]) -> None:
    for column, (name, title) in zip(st.columns(len(FIGURES)), FIGURES.items(), strict=True):
        low, high = split["intervals"][name]
        column.metric(title, percent(split[name]), help=HELP[name])
        column.caption(f"95 %: {100 * low:.1f} to {100 * high:.1f}")
    low, high = split["intervals"]["nll"]
    st.caption(
        f"{split['n']:,} images. Negative log-likelihood {split['nll']:.3f} "
        f"({low:.3f} to {high:.3f}) a picture."
    )


def _class_table(split: dict[str, Any]) -> pd.DataFrame:
    rows = []
    for label, one in split["per_class"].items():
        ends = split["intervals"]["per_class"].get(label)
        row: dict[str, object] = {"Class": [label], "Images": one["support"]}
        for name, title in (("recall", "Recall"), ("precision", "Precision"), ("f1", "F1")):
            row[f"{title} % (95 %)"] = (
                f"{100 * one[name]:.1f} ({100 * ends[name][0]:.1f} to {100 * ends[name][1]:.1f})"
                if ends
                else None
            )
        rows.append(row)
    return pd.DataFrame(rows)


def _calibration(report: dict[str, Any]) -> str:
    fit = report["calibration"]
    if not fit.get("fitted"):
        return (
            f"The network's own certainty at a temperature of {report['temperature']:.3g}; none "
            "was fitted on these data."
        )
    return (
        f"Temperature {report['temperature']:.3g}, fitted on {fit['n']:,} images of clean "
        f"validation, where the calibration error went from {percent(fit['ece_before'])} to "
        f"{percent(fit['ece_after'])}."
    )


def _unclear(report: dict[str, Any], unclear: dict[str, Any]) -> str:
    if unclear["threshold"] <= 0:
        fitted = report["calibration"].get("fitted")
        why = "none was wrong on clean validation." if fitted else "no threshold is known."
        return f"No answer is called unclear: {why}"
    right = unclear["accuracy_answered"]
    text = (
        f"Below a confidence of {percent(unclear['threshold'])} the app says “unclear”. Of these "
        f"images {percent(unclear['coverage'])} are answered"
    )
    text += f", {percent(right)} of them rightly. " if right is not None else ". "
    return text + str(report["calibration"].get("rule", ""))
