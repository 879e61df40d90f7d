"""Are the explanations true?  Every method of a run beside maps that know nothing of the face."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.checkpoints import evaluations_of, title_of
from core.explain import EXPLAINERS, FAITHFULNESS_FILE, misses_mark, stored_faithfulness
from core.faithfulness import faithfulness_rows, ranking_agreement
from core.tabular import table_text
from webapp.chart_frame import draw_chart, table_height
from webapp.charts.faithfulness import BOTH, FALLS, WEIGHTLESS, method_gap_dots, verdict_of
from webapp.faithfulness_badges import HOW_IT_IS_MEASURED
from webapp.results import pickers
from webapp.results.paper_tables import export_buttons
from webapp.text import counted, literal, percent
from webapp.waiting import Show

_RANDOMISED = {"passes": "depend on the weights", "partly": "depend on the weights in part"}
_MEASURES = {"gap": "insertion minus deletion", "road": "ROAD", "planted": "the planted mark"}
LEAD = "Ahead by at least"
DECIMALS = ("Insertion", "Deletion", LEAD, "ROAD")


def faithfulness_view() -> None:
    """Choose a run; its table, chart and downloads, or how to make them."""
    run = pickers.explained_run_picker()
    if run is None:
        return
    others = evaluations_of(run, FAITHFULNESS_FILE)
    places = ({"": run} if stored_faithfulness(run) else {}) | others
    place = pickers.place_picker(places or {"": run}, f"explained on {run.name}")
    report = stored_faithfulness(run, None if place == run else place)
    if report is None:
        st.caption(HOW_IT_IS_MEASURED)
        title = literal(title_of(run))
        pickers.measuring(
            f"The explanations of {title} were not measured yet.",
            ("faithfulness", run.name),
            "Measure them",
            lambda show: _measure(run, show),
        )
        return
    rows = faithfulness_rows(report)
    _summary(report, rows, own=place == run)
    st.caption(
        "The gap of a method: how sure the network gets early when the places that the map calls "
        "strongest are shown first, less how sure it stays when they are hidden first. Controls "
        "are maps that know nothing of the answer: a blob in the middle, another face's map, "
        "chance."
    )
    draw_chart(
        method_gap_dots(rows),
        key="gaps",
        alt="Insertion minus deletion of every method and control",
    )
    with st.expander("How this is measured, and a test with a known answer"):
        st.markdown(HOW_IT_IS_MEASURED)
        _planted(report)
    st.caption("More columns to the right: scroll the table sideways.")
    _table(rows)
    export_buttons(lambda form: table_text(rows, form), f"faithfulness-{run.name}", "faithfulness")
    _details(report)


def _measure(run: Path, show: Show) -> None:
    from core.faithfulness import measure_faithfulness  # loads torch

    def told(done: int, total: int, name: str) -> None:
        show(done / total, f"{done:,} of {total:,} measured{f', now {name}' if name else ''},")

    measure_faithfulness(run, on_progress=told)


def _summary(report: dict[str, Any], rows: list[dict[str, Any]], *, own: bool) -> None:
    best = next((row for row in rows if row["recommended"]), None)
    faces = counted(int(report["n"]), "test face")
    text = f"Measured on {faces} that the network answers as they are labelled"
    fewer = sorted(
        {int(row["faces"]) for row in rows if row["faces"] and row["faces"] < report["n"]}
    )
    text += f", slow methods on {fewer[0]}, so that their intervals are wide." if fewer else "."
    if best is not None:
        offer = "The app offers {} first" if own else "On these data it would be {}"
        text += (
            f" {offer.format('**' + literal(best['method']) + '**')}: of the quick methods that "
            f"beat all three controls, {_RANDOMISED[best['sanity']]} and can be read it has the "
            "highest gap."
        )
    else:
        text += " No quick method beats all three controls, depends on the weights and can be read."
    st.markdown(text)
    paper = next((row for row in rows if row["name"] == "grad_cam"), None)
    if paper is not None:
        st.markdown(
            f"The paper's Grad-CAM {paper['verdict']}: its gap is {paper['gap']:.3f} "
            f"({paper['gap_low']:.3f} to {paper['gap_high']:.3f}){_beside(rows)}, and "
            f"{100 * paper['blank']:.0f} % of its maps are blank."
        )


def _beside(rows: list[dict[str, Any]]) -> str:
    """The gap of the strongest control, in brackets; "" where none was measured."""
    controls = [(row["gap"], row["method"]) for row in rows if not row["verdict"]]
    if not controls:
        return ""
    gap, name = max(controls)
    return f" (that of the strongest control, “{literal(name)}”, {gap:.3f})"


def _planted(report: dict[str, Any]) -> None:
    """The test with a known answer, who fails it, and whether the measures agree."""
    found = report.get("planted", {})
    if "shares" in found:
        chance = percent(found["area"])
        low = [
            EXPLAINERS[name].title
            for name in found["shares"]
            if name in EXPLAINERS and misses_mark(report, name)
        ]
        st.markdown(
            f"**A mark that alone decides the class**, planted in {found['n']} faces for a small "
            f"network trained on it ({percent(found['accuracy'])} right): column *On the mark* "
            f"says how much of a map's evidence lies on it. A map that knows nothing has {chance}. "
            + (f"No better than that: {literal(', '.join(low))}." if low else "All are above that.")
        )
    elif found.get("refused"):
        st.markdown(literal(str(found["refused"])))
    agreement = ranking_agreement(report)
    if agreement:
        said = ", ".join(
            f"{_MEASURES[first]} and {_MEASURES[second]} {value:.2f}"
            for (first, second), value in agreement.items()
        )
        st.caption(f"Do the measures order the methods alike (rank correlation)? {said}.")


def _table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(
        pd.DataFrame([_cells(row) for row in rows]),
        hide_index=True,
        key="faithfulness",
        height=table_height(len(rows)),
        placeholder="-",
        column_config={
            "Method": st.column_config.TextColumn(pinned=True, width=190),
            "Faces": st.column_config.NumberColumn(format="localized"),
            "Verdict": st.column_config.MultiselectColumn(
                options=[BOTH, WEIGHTLESS, FALLS],
                color=["green", "orange", "red"],
                width=125,
                help="Whether the gap is above zero and above those of all controls; and whether "
                "the map changes when the network's weights are random.",
            ),
            "95 % interval": st.column_config.TextColumn(width=110),
            "Randomisation": st.column_config.TextColumn(
                help="passes: the map changes as soon as the last layers have random weights; "
                "partly: only when all layers have; fails: not even then."
            ),
            "Gap": st.column_config.NumberColumn(format="%.3f", width=60),
            **{name: st.column_config.NumberColumn(format="%.3f") for name in DECIMALS},
            "On the mark": st.column_config.NumberColumn(
                format="%.2f",
                help="Share of the evidence on a planted mark that alone decides the class.",
            ),
            "Legible": st.column_config.NumberColumn(
                format="%.2f",
                help="Correlation of a map with itself without detail; from .90 on it can be read.",
            ),
            "Places": st.column_config.NumberColumn(
                format="%.1f", help="Connected places that the strongest tenth of a map forms."
            ),
            LEAD: st.column_config.NumberColumn(
                format="%.3f",
                help="The lead over the strongest control: the low end of its 95 % interval.",
            ),
            "Random weights": st.column_config.NumberColumn(
                format="%.2f",
                help="Highest rank correlation with the map of a network whose last layers, one "
                "after the other, or all layers have random weights. Low is good.",
            ),
            "Stability": st.column_config.TextColumn(
                help="Rank correlation with the map of the mirrored, shifted and noisy face, put "
                "back into place."
            ),
        },
    )


def _cells(row: dict[str, Any]) -> dict[str, Any]:
    def share(name: str) -> str | None:
        return None if row[name] is None else f"{100 * row[name]:.0f} %"

    changes = [row[name] for name in ("flip", "shift", "noise")]
    stable = " / ".join("-" if one is None else f"{one:.2f}" for one in changes)
    return {
        "Method": row["method"],
        "Verdict": [verdict_of(row)] if row["verdict"] else None,
        "Gap": row["gap"],
        "95 % interval": f"{row['gap_low']:.3f} to {row['gap_high']:.3f}",
        "Faces": row["faces"],
        LEAD: row["lead"],
        "Randomisation": row["sanity"],
        "Random weights": row["random_likeness"],
        "Insertion": row["insertion"],
        "Deletion": row["deletion"],
        "Average drop": share("average_drop"),
        "Increase": share("increase"),
        "ROAD": row["road"],
        "On the mark": row["planted"],
        "Legible": row["legible"],
        "Places": row["places"],
        "Blank": share("blank"),
        "Stability": stable if row["verdict"] else None,
        "Layer": row["layer"],
        "Cost": row["cost"],
    }


def _details(report: dict[str, Any]) -> None:
    choice = report.get("layer_choice", {}).get("gaps", {})
    with st.expander("Layers, methods that do not apply, how long it took"):
        for method, gaps in choice.items():
            tried = ", ".join(f"`{layer}` {gap:.3f}" for layer, gap in gaps.items())
            faces = counted(int(report["layer_choice"]["n"]), "clean-validation face")
            st.markdown(f"{EXPLAINERS[method].title}: gap by layer on {faces}: {tried}.")
        for method, reason in report["refused"].items():
            st.markdown(f"{EXPLAINERS[method].title} does not apply: {literal(str(reason))}")
        st.markdown(
            f"Answers to changed faces were computed in {report['precision']}; the whole report "
            f"took {report['seconds'] / 60:.1f} minutes."
        )
