"""Totals, Table 1, class balance, and what the audit found, for a prepared or the shipped audit."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from core.data import compare, title_of
from core.labels import EMOTIONS
from webapp.charts import dataset as charts

Values = dict[str, Any]
MARK = "background-color: rgba(213, 94, 0, 0.25)"


def show(found: Values, choose: Callable[[str, str, str], None] | None = None) -> None:
    """Draw the overview.

    Args:
        found: As `core.data.audit` gives it.
        choose: Called with source, split and class when a bar is clicked; None where there are no
            pictures to show.
    """
    _totals(found)
    _sentences(found)
    st.subheader("Class balance")
    share = st.toggle("As shares of each bar", key="balance share")
    figure = charts.balance(found["counts"], _titles(found), share=share)
    if choose is None:
        st.plotly_chart(figure, key="balance")
    else:
        st.caption("Click a part of a bar to see its pictures.")
        clicked = st.plotly_chart(figure, key="balance", on_select="rerun", selection_mode="points")
        for point in clicked["selection"]["points"][:1]:
            source, split, label, *_ = point["customdata"]
            choose(source, split, label)
    st.subheader("Table 1 of the paper, and what the files hold")
    st.caption("Measured numbers; where they differ from the paper, its number stands in brackets.")
    table, marked = table1(found)
    st.dataframe(
        table.style.apply(
            lambda _: marked.map(lambda different: MARK if different else ""), axis=None
        ),
        hide_index=True,
        width="stretch",
    )
    for cell in found["differences"]:
        st.markdown(
            f"- {title_of(cell['source'])} {cell['split']}, {cell['emotion']}: published "
            f"{cell['published']:,}, measured {cell['measured']:,}. {cell['note'].capitalize()}."
        )


def table1(found: Values) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table 1 as texts, and which of its cells differ from the paper."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    marks: dict[tuple[str, str], dict[str, bool]] = {}
    totals: dict[tuple[str, str], list[int]] = {}
    for cell in compare(found["counts"]):
        key = (cell.source, cell.split)
        text = f"{cell.measured:,}"
        if cell.difference:
            text += f" ({cell.published:,})"
        rows.setdefault(key, {})[cell.emotion] = text
        marks.setdefault(key, {})[cell.emotion] = cell.difference != 0
        total = totals.setdefault(key, [0, 0])
        total[0] += cell.measured
        total[1] += cell.published
    names = [{"set": title_of(source), "split": split} for source, split in rows]
    table = pd.DataFrame(
        [
            {
                **name,
                **{emotion: row[emotion] for emotion in EMOTIONS},
                "total": f"{total[0]:,}" + (f" ({total[1]:,})" if total[0] != total[1] else ""),
            }
            for name, row, total in zip(names, rows.values(), totals.values(), strict=True)
        ]
    )
    marked = pd.DataFrame(
        [
            {"set": False, "split": False, **row, "total": total[0] != total[1]}
            for row, total in zip(marks.values(), totals.values(), strict=True)
        ]
    )
    return table, marked.reindex(columns=table.columns)


def _titles(found: Values) -> dict[str, str]:
    return {source: title_of(source) for source in found["counts"]}


def _totals(found: Values) -> None:
    columns = st.columns(4)
    twins = sum(row["exact_or_near"] for row in found["twins"].values())
    columns[0].metric("Pictures", f"{found['images']:,}")
    columns[1].metric("Sources", len(found["counts"]))
    columns[2].metric("Groups of copies", f"{found['exact_groups'] + found['near_groups']:,}")
    columns[3].metric(
        "Test pictures with a copy in train",
        f"{twins:,}",
        help="Exact or near copies, in the splits as published. The split `clean` has none.",
    )


def _sentences(found: Values) -> None:
    lines = []
    for source, twins in found["twins"].items():
        if twins["exact_or_near"]:
            lines.append(
                f"**Leak.** {twins['exact_or_near']:,} of {twins['test']:,} test pictures of "
                f"{title_of(source)} have a copy in train; {twins['exact']:,} are equal pixel for "
                f"pixel, {twins['exact_same_label']:,} of these with the same label."
            )
    valid = dict(found["published_valid"])
    total = valid.pop("n", 0)
    for origin, number in valid.items():
        source, split = origin.split("/")
        lines.append(
            f"**Leak.** {number} of the {total} published validation pictures are "
            f"{title_of(source)} {split} pictures."
        )
    train = found["duplicates"]["train"]
    if train["contradicting"]:
        lines.append(
            f"**Contradiction.** {train['contradicting']:,} groups of copies in train carry "
            "different labels."
        )
    lines += [f"**Shortcut.** {sentence}" for sentence in found["shortcut"]["sentences"]]
    if lines:
        st.warning("\n".join(f"- {line}" for line in lines))
    left = sum(leak["n"] for leak in found["clean_leaks"])
    st.markdown(
        f"The split `clean` has {left} leaks and "
        + ", ".join(f"{n:,} {part}" for part, n in found["splits"]["clean"]["parts"].items())
        + " pictures."
    )
