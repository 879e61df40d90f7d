"""How far each network carries: image sets it knows and does not know, the portrait shortcut."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from core import CoreError
from core.checkpoints import DEFAULT_CHECKPOINT
from core.evaluation import FEW, Run, Shortcut, SourceScore, by_source
from core.tabular import table_text
from webapp import checkpoints
from webapp.chart_frame import EDGES, ROW
from webapp.checkpoints import source_names
from webapp.errors import shown_errors
from webapp.results import pickers, store
from webapp.results.paper_tables import export_buttons
from webapp.text import counted, literal, percent

FIGURES = {"Accuracy": "accuracy", "Macro-F1": "macro_f1"}
NETWORK = "Network"
NAME = 140  # px of a title, so that two figures stand beside it on a phone
THREE_LINES = 66  # px of a row, in which titles break into lines from 65 on
STAR, DEFAULT = " *", " (the default)"
STYLE = """
.sets {overflow-x: auto; font-size: .875rem;}
.sets table {width: 100%; border-collapse: collapse;}
.sets th, .sets td {padding: .3rem .5rem; text-align: right; vertical-align: top;
font-weight: normal; border-bottom: 1px solid rgba(128, 128, 160, .3);}
.sets td {font-variant-numeric: tabular-nums; white-space: nowrap;}
.sets th.name {text-align: left;}
.sets small {display: block; font-size: .72rem; opacity: .8;}
.sets tr.marked {background: rgba(122, 134, 224, .25);}
.sets tr.marked th {font-weight: 600;}
.sets td.strange {background: rgba(106, 127, 0, .18);}
@media (max-width: 640px) {
.sets tr {display: grid; grid-template-columns: COLUMNS;}
.sets th, .sets td {padding: .2rem .3rem; border: none;}
.sets tr {border-bottom: 1px solid rgba(128, 128, 160, .3);}
.sets th.name {grid-column: 1 / -1; padding-top: .4rem;}
.sets th[scope="col"] {font-size: .75rem; overflow-wrap: anywhere;}
}
"""

Column = tuple[str, str]  # image set, and the part of it that was asked
Scores = Mapping[str, Sequence[SourceScore]]  # by the network's title


def sources_view() -> None:
    """Whether networks hold on image sets they never saw, then the shortcut of every network."""
    runs = _in_order(store.evaluated())
    if not runs:
        pickers.show_how_to_begin()
        return
    titles = _titles(runs)
    scores: dict[str, Sequence[SourceScore]] = {}
    for run in runs:
        scores[titles[run.name]] = []
        with shown_errors():
            scores[titles[run.name]] = by_source(store.report(run.folder), six=True)
    first = titles[runs[0].name] if checkpoints.is_default(runs[0].folder) else ""
    st.markdown(unseen_in_words(scores, first))
    _image_sets(scores, first)
    _shortcuts(runs, titles)


def _in_order(runs: Iterable[Run]) -> list[Run]:
    """The default, then the user's own, then the shipped in their order."""
    known = {run.folder: run for run in runs}
    ordered = [known[folder] for folder in checkpoints.own_first(known)]
    return sorted(ordered, key=lambda run: not checkpoints.is_default(run.folder))


def _titles(runs: Iterable[Run]) -> dict[str, str]:
    return {
        name: f"{title}{DEFAULT}" if name == DEFAULT_CHECKPOINT else title
        for name, title in checkpoints.titles(run.folder for run in runs).items()
    }


def unseen_in_words(scores: Scores, default: str = "") -> str:
    """The answer before the table: the best that never saw an image set beside the best that did.

    Image sets of too few pictures are left out, and those that all or no network was trained on.

    Args:
        scores: Of each network.
        default: Title of the default network; "" where it is not among them.
    """
    lines, lost = [], []
    for column, found in _columns(scores).items():
        tops = [
            max((one.accuracy, name) for name, one in found.items() if one.seen is seen)
            for seen in (False, True)
            if any(one.seen is seen for one in found.values())
        ]
        if len(tops) < 2 or max(one.n for one in found.values()) < FEW:
            continue
        (strange, stranger), (known, knower) = tops
        lost.append(100 * (known - strange))
        lines.append(
            f"- {literal(source_names([column[0]]))}: {percent(strange)} by “{literal(stranger)}”, "
            f"never trained on it; {percent(known)} by “{literal(knower)}”, trained on it."
        )
    if not lines:
        text = (
            "No image set of enough pictures was shown both to networks that were trained on it "
            "and to others, so nothing here tells how networks do on pictures of a new kind."
        )
    elif min(lost) > 0:
        span = f"{min(lost):.1f} to {max(lost):.1f}" if len(lost) > 1 else f"{lost[0]:.1f}"
        text = (
            "**On an image set it was never trained on, even the best network is right "
            f"{span} percentage points less often than the best trained on it.**"
        )
    else:
        text = "**The best network never trained on an image set beside the best trained on it:**"
    own = scores.get(default)
    told = ""
    if lines and own and all(one.seen for one in own):
        told = (
            f"\n\n“{literal(default.removesuffix(DEFAULT))}”, the default, was trained on all the "
            "image sets it was measured on here, so how it does on others is not known."
        )
    return "\n".join((text, "", *lines)) + told


def _columns(scores: Scores) -> dict[Column, dict[str, SourceScore]]:
    """Each image set with its networks, those that most networks were measured on first."""
    found: dict[Column, dict[str, SourceScore]] = {}
    for title, some in scores.items():
        for one in some:
            found.setdefault((one.source, one.part), {})[title] = one
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _best_first(scores: Scores, figure: str, default: str) -> Scores:
    """The default, then the others by their figures on the first image set."""
    found = next(iter(_columns(scores).values()), {})
    reached = {title: getattr(one, figure) for title, one in found.items()}
    order = sorted(scores, key=lambda title: (title != default, -reached.get(title, -1.0)))
    return {title: scores[title] for title in order}


def _heads(columns: Mapping[Column, Mapping[str, SourceScore]]) -> dict[Column, str]:
    """The image set and its pictures, and the part where both were asked."""
    heads = {}
    for (source, part), found in columns.items():
        numbers = sorted({one.n for one in found.values()})
        told = " to ".join(f"{number:,}" for number in {numbers[0]: 0, numbers[-1]: 0})
        both = sum(name == source for name, _ in columns) > 1 and part == "valid"
        heads[source, part] = f"{source_names([source])}{' kept apart' if both else ''} ({told})"
    return heads


def _image_sets(scores: Scores, default: str) -> None:
    figure = FIGURES[
        st.segmented_control(
            "Figure", list(FIGURES), default="Accuracy", required=True, key="figure of sources"
        )
    ]
    with_ends = st.toggle("With 95 % intervals", key="ends of sources")
    st.caption(
        "**\\* Never trained on (tinted):** neither the network nor the one it began with was "
        "shown pictures of that image set, so the figure tells how it does on a new kind of "
        "pictures. Figures without a star are of other pictures of a kind it knows."
    )
    columns = _columns(scores)
    heads = _heads(columns)
    ordered = _best_first(scores, figure, default)
    st.html(sets_html(ordered, heads, figure, default, with_ends=with_ends))
    few = [
        head
        for column, head in heads.items()
        if max(one.n for one in columns[column].values()) < FEW
    ]
    st.caption(
        "In % of the pictures whose number stands in brackets, the best on the first set on top, "
        "below the default: of each set's published test, or, "
        "where it has none, of pictures kept apart from training. A network that also knows "
        "neutral chooses between the six expressions here, for the same pictures as all others."
        + (f" So few pictures say little: {literal(', '.join(few))}." if few else "")
    )
    rows = _rows(scores)
    export_buttons(lambda form: table_text(rows, form), "image-sets", "sources")


def sets_html(
    scores: Scores,
    heads: Mapping[Column, str],
    figure: str,
    default: str,
    *,
    with_ends: bool,
) -> str:
    """A row a network and a column an image set; on a phone the name stands above its figures.

    Args:
        scores: Of each network, from the top.
        heads: Of the columns.
        figure: One of FIGURES.
        default: Title of the network to be marked; "" for none.
        with_ends: Whether 95 % intervals stand below the figures.
    """
    rows = [_row(("Network", *heads.values()), "col")]
    for title, some in scores.items():
        found = {(one.source, one.part): one for one in some}
        shown = [_told(found.get(column), figure, with_ends=with_ends) for column in heads]
        rows.append(_row((title, *shown), "row", marked=title == default))
    least = "4.6rem" if with_ends else "3.3rem"
    style = STYLE.replace("COLUMNS", f"repeat({len(heads)}, minmax({least}, 1fr))")
    return f'<style>{style}</style><div class="sets"><table>{"".join(rows)}</table></div>'


def _row(texts: Sequence[str], scope: str, *, marked: bool = False) -> str:
    first, *others = map(escape, texts)
    cells = "".join(
        f'<th scope="col">{text}</th>' if scope == "col" else _cell(text) for text in others
    )
    kind = ' class="marked"' if marked else ""
    return f'<tr{kind}><th class="name" scope="{scope}">{first}</th>{cells}</tr>'


def _cell(text: str) -> str:
    kind = ' class="strange"' if STAR in text else ""
    value, *ends = text.split("\n")
    return f"<td{kind}>{value}{''.join(f'<small>{line}</small>' for line in ends)}</td>"


def _told(one: SourceScore | None, figure: str, *, with_ends: bool) -> str:
    """A figure, its star where the set is a strange one, and its interval on a second line."""
    if one is None:
        return "-"
    low, high = getattr(one, f"{figure}_interval")
    value = f"{100 * getattr(one, figure):.1f}{'' if one.seen else STAR}"
    return f"{value}\n{100 * low:.1f} to {100 * high:.1f}" if with_ends else value


def _rows(scores: Scores) -> list[dict[str, Any]]:
    """A row a network and image set, with both figures and all ends."""
    rows = []
    for title, some in scores.items():
        for one in some:
            row: dict[str, Any] = {
                "network": title,
                "image_set": source_names([one.source]),
                "part": one.part,
                "pictures": one.n,
                "trained_on_it": "yes" if one.seen else "no",
            }
            for figure in FIGURES.values():
                low, high = getattr(one, f"{figure}_interval")
                row |= {figure: getattr(one, figure), f"{figure}_low": low, f"{figure}_high": high}
            rows.append(row)
    return rows


def _shortcuts(runs: Sequence[Run], titles: Mapping[str, str]) -> None:
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
