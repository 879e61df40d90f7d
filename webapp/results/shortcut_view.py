"""The portrait shortcut: whether a network takes a kind of picture for happiness."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core import CoreError
from core.evaluation import Run, Shortcut
from webapp.chart_frame import EDGES, ROW
from webapp.results import store
from webapp.text import counted, literal, percent

NETWORK = "Network"
NAME = 140  # px of a title, so that two figures stand beside it on a phone
THREE_LINES = 66  # px of a row, in which titles break into lines from 65 on


def portrait_shortcut(runs: Sequence[Run], titles: Mapping[str, str]) -> None:
    """Every network's share of happiness found in portraits and elsewhere; titles by name."""
    st.subheader("The portrait shortcut")
    st.caption(
        "Nearly all happiness images of AffectNet are FFHQ portraits, so a network can learn the "
        "kind of picture instead of the expression. Then it finds happiness in portraits better "
        "than elsewhere, and calls other portraits happy."
    )
    found: dict[str, Shortcut] = {}
    left: list[str] = []
    for run in runs:
        try:
            one = store.portrait_shortcut(run.folder)
        except CoreError as error:
            left.append(str(error))
            continue
        if one is not None:
            found[titles[run.name]] = one
    if found:
        st.markdown(_shortcut_in_words(found))
        _shortcut_table(found)
    elif not left:
        st.info("No network was evaluated on AffectNet yet, so there is nothing to compare.")
    if left:
        with st.expander(f"{counted(len(left), 'network')} left out here, and why"):
            for reason in left:
                st.caption(literal(reason))


def _shortcut_in_words(found: Mapping[str, Shortcut]) -> str:
    better = sum(one.low > 0 for one in found.values())
    worse = sum(one.high < 0 for one in found.values())
    rest = "; for the others the 95 % interval of the difference holds zero"
    text = (
        f"Of {counted(len(found), 'network')}, {better} find happiness more often in portraits "
        f"than elsewhere, {worse} less often{rest if better + worse < len(found) else ''}."
    )
    title, first = next(iter(found.items()))
    told = (
        f" “{literal(title)}” finds {percent(first.portraits)} of the happy portraits and "
        f"{percent(first.others)} of the other happy pictures"
    )
    if first.false_portraits is None:
        return f"{text}{told}."
    return f"{text}{told}, and calls {percent(first.false_portraits)} of the other portraits happy."


def _shortcut_table(found: Mapping[str, Shortcut]) -> None:
    rows = [
        {
            NETWORK: title,
            "Difference (95 %)": (
                f"{100 * one.gap:+.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"
            ),
            "Portraits %": 100 * one.portraits,
            "Elsewhere %": 100 * one.others,
            "Other portraits called happy %": (
                None if one.false_portraits is None else 100 * one.false_portraits
            ),
            "Happy portraits": one.n_portraits,
            "Happy others": one.n_others,
        }
        for title, one in found.items()
    ]
    with st.expander("The shortcut of every network"):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            row_height=THREE_LINES,
            height=ROW + THREE_LINES * len(rows) + EDGES,
            key="shortcut",
            column_config={
                NETWORK: st.column_config.TextColumn(pinned=True, width=NAME),
                "Difference (95 %)": st.column_config.TextColumn(width=150),
                **dict.fromkeys(
                    ("Happy portraits", "Happy others"),
                    st.column_config.NumberColumn(format="localized"),
                ),
                **{
                    name: st.column_config.NumberColumn(format="%.1f")
                    for name in rows[0]
                    if name.endswith("%")
                },
            },
        )
