"""Totals, findings, class balance and Table 1, of a prepared data set or of the shipped audit."""

from typing import Any

import pandas as pd
import streamlit as st

from core.data import DEMO, compare, title_of, with_aggregate
from core.labels import COLOURS, EMOTIONS
from webapp.chart_frame import draw_chart
from webapp.charts import dataset as charts
from webapp.dataset_explorer import address
from webapp.dataset_explorer.store import UNLABELLED
from webapp.text import counted, literal, percent

Values = dict[str, Any]
MARK = "background-color: rgba(213, 94, 0, 0.25)"
_BARS = "balance"
SIX, TOTAL = "the paper's six", "total"  # columns of sums


def show(found: Values, *, explorable: bool = False) -> None:
    """Draw the overview.

    Args:
        found: As `core.data.audit` gives it.
        explorable: Whether there are pictures that bars and findings lead to.
    """
    if DEMO in found["counts"]:
        st.caption(
            "The demo's faces are drawn by code. What a network reaches on them says nothing "
            "about photographs of people."
        )
    _totals(found)
    _findings(found, explorable=explorable)
    st.subheader("Class balance")
    share = st.toggle("Shares instead of numbers", key="balance share")
    figure = charts.balance(_shown(found["counts"]), _titles(found), share=share)
    if explorable:
        st.caption("Click a part of a bar to see its pictures.")
        draw_chart(figure, key=_BARS, on_select=_show_bar, selection_mode="points")
    else:
        draw_chart(figure, key="shipped balance")
    _table1(found)


def counts_table(counts: Values) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers as texts, with the paper's in brackets where it differs, and which cells differ.

    Args:
        counts: {source: {split: {emotion: n}}}.

    Returns:
        Two tables of equal shape: texts; and True where a number differs from the paper's. Where
        there are others than the paper's six expressions, these have a sum of their own before
        the total, which is compared with nothing.
    """
    paper = {(cell.source, cell.split, cell.emotion): cell.published for cell in compare(counts)}
    every = with_aggregate(counts)
    used = {name for splits in every.values() for row in splits.values() for name in row}
    labels = [name for name in (*COLOURS, "") if name in used]
    # Such as neutral, which the paper does not count.
    others = bool(paper) and not used <= set(EMOTIONS)
    texts, marks = [], []
    for source, splits in every.items():
        for split, row in splits.items():
            numbers = {label: row.get(label, 0) for label in labels}
            theirs = {label: paper.get((source, split, label)) for label in labels}
            cells = {label or UNLABELLED: _cell(numbers[label], theirs[label]) for label in labels}
            known = [number for number in theirs.values() if number is not None]
            published = sum(known) if known else None
            if others:
                cells[SIX] = _cell(sum(row.get(label, 0) for label in EMOTIONS), published)
            cells[TOTAL] = _cell(sum(row.values()), None if others else published)
            names = {"set": title_of(source), "split": split}
            texts.append({**names, **{label: text for label, (text, _) in cells.items()}})
            marks.append(
                {
                    **dict.fromkeys(names, False),
                    **{label: mark for label, (_, mark) in cells.items()},
                }
            )
    return pd.DataFrame(texts), pd.DataFrame(marks)


def sentences(found: Values) -> list[str]:
    """What is wrong with the data, one sentence a finding, in Markdown."""
    lines = []
    for source, twins in found["twins"].items():
        if twins["exact_or_near"]:
            equal = (
                f"{twins['exact']:,} equal pixel for pixel, {twins['exact_same_label']:,} of these "
                "with the same label"
                if twins["exact"]
                else "nearly equal ones"
            )
            lines.append(
                f"**Leak.** {twins['exact_or_near']:,} of {twins['test']:,} test pictures of "
                f"{literal(title_of(source))} have a copy in train: {equal}."
            )
    mirrored = found.get("mirrored") or {"twins": {}}  # absent from earlier audits
    for source, twins in mirrored["twins"].items():
        if twins["test"]:
            have = "has" if twins["test"] == 1 else "have"
            lines.append(
                f"**Leak.** {counted(twins['test'], 'test picture')} of "
                f"{literal(title_of(source))} {have} a mirrored copy in train, "
                f"{twins['only']:,} of them no other."
            )
    valid = dict(found["published_valid"])
    total = valid.pop("n", 0)
    for origin, number in valid.items():
        source, split = origin.split("/")
        lines.append(
            f"**Leak.** {number} of the {total} published validation pictures are "
            f"{literal(title_of(source))} {literal(split)} pictures."
        )
    train = found["duplicates"]["train"]
    if train["contradicting"]:
        has = "has" if train["contradicting"] == 1 else "have"
        lines.append(
            f"**Contradiction.** {counted(train['contradicting'], 'group')} of copies in train "
            f"{has} different labels; taken pixel for pixel, equal pictures have in "
            f"{counted(train['exact_contradicting'], 'group')}."
        )
    return lines + [f"**Shortcut.** {literal(one)}" for one in found["shortcut"]["sentences"]]


def taken(found: Values) -> str:
    """How many validation pictures of `clean` are train pictures in the files; "" for none."""
    clean = found["splits"]["clean"]
    number = sum(
        row.get("valid", 0)
        for source, row in clean["by_source"].items()
        if "valid" not in found["counts"][source]
    )
    if not number:
        return ""
    some = f"The {number:,}" if number == clean["parts"]["valid"] else f"{number:,} of those"
    were = "was" if number == 1 else "were"
    return (
        f" {some} for validation {were} taken from train; the numbers below are those of the "
        "files, before that."
    )


def _cell(ours: int, theirs: int | None) -> tuple[str, bool]:
    differs = theirs is not None and theirs != ours
    return f"{ours:,}" + (f" ({theirs:,})" if differs else ""), differs


def _shown(counts: Values) -> Values:
    """Counts with a word in place of the empty label."""
    return {
        source: {
            split: {label or UNLABELLED: number for label, number in row.items()}
            for split, row in splits.items()
        }
        for source, splits in counts.items()
    }


def _titles(found: Values) -> dict[str, str]:
    return {source: title_of(source) for source in found["counts"]}


def _totals(found: Values) -> None:
    twins = sum(row["exact_or_near"] for row in found["twins"].values())
    tests = sum(row["test"] for row in found["twins"].values())
    copies = found["duplicates"]["all"]
    row = st.container(horizontal=True)
    row.metric("Pictures", f"{found['images']:,}", border=True)
    row.metric("Sources", len(found["counts"]), border=True)
    row.metric(
        "Exact duplicates",
        f"{copies['exact_surplus']:,}",
        border=True,
        help="Equal to another pixel for pixel, the first of each group not counted. There are "
        f"{copies['exact_groups']:,} such groups, and {copies['near_groups']:,} of pictures that "
        "are nearly equal.",
    )
    row.metric(
        "Test pictures with a copy in train",
        f"{twins:,}",
        border=True,
        help=f"Exact or near copies, {percent(twins / tests) if tests else '0 %'} of {tests:,} "
        "test pictures, in the splits as published. The split `clean` has none.",
    )


def _findings(found: Values, *, explorable: bool) -> None:
    lines = sentences(found)
    if lines:
        st.warning("\n".join(f"- {line}" for line in lines))
    if lines and explorable:
        row = st.container(horizontal=True)
        row.button(
            "Show the leaks",
            on_click=address.show_view,
            args=(address.LEAKS,),
            disabled=not any("**Leak.**" in line for line in lines),
        )
        row.button(
            "Show the contradictions",
            on_click=_show_contradictions,
            disabled=not found["duplicates"]["train"]["contradicting"],
        )
    turned = (found.get("mirrored") or {}).get("clean_leaks", [])
    left = sum(leak["n"] for leak in [*found["clean_leaks"], *turned])
    parts = found["splits"]["clean"]["parts"]
    st.markdown(
        "The split `clean` is made against leaks and contradictions. It has "
        f"{counted(left, 'leak')}: "
        + ", ".join(f"{name} {parts.get(name, 0):,}" for name in ("train", "valid", "test"))
        + f" pictures, {parts.get('drop', 0):,} dropped.{taken(found)}"
    )
    reasons = found["splits"]["clean"]["dropped"]
    if reasons:
        st.caption(
            "Dropped: " + "; ".join(f"{n:,} {literal(why)}" for why, n in reasons.items()) + "."
        )


def _show_contradictions() -> None:
    address.show_pictures(finding=["contradicting"])
    st.session_state["order"] = "Copies together"


def _show_bar() -> None:
    """Turn from a part of a bar to its pictures."""
    for point in st.session_state[_BARS]["selection"]["points"][:1]:
        source, split, label, *_ = point["customdata"]
        address.show_pictures(source=[source], split=[split], label=[label])


def _table1(found: Values) -> None:
    texts, marked = counts_table(found["counts"])
    if compare(found["counts"]):
        st.subheader("Table 1 of the paper, and what the files hold")
        st.caption("Measured; where the paper says another number, it stands in brackets.")
    else:
        st.subheader("Pictures by source, split and class")
    colours = marked.map(lambda different: MARK if different else "")
    st.dataframe(texts.style.apply(lambda _: colours, axis=None), hide_index=True)
    for cell in found["differences"]:
        st.markdown(
            f"- {title_of(cell['source'])} {cell['split']}, {cell['emotion']}: published "
            f"{cell['published']:,}, measured {cell['measured']:,}. "
            f"{cell['note'][:1].upper()}{cell['note'][1:]}."
        )
