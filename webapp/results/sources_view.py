"""How far each network carries: image sets it was trained on, and those it never saw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.checkpoints import DEFAULT_CHECKPOINT
from core.data import source_names
from core.evaluation import (
    FEW,
    Run,
    SourceScore,
    by_source,
    recipe,
    trained_alike,
)
from core.tabular import table_text
from webapp import checkpoints
from webapp.chart_frame import wrapping_table
from webapp.errors import shown_errors
from webapp.results import pickers, store
from webapp.results.paper_tables import export_buttons
from webapp.results.shortcut_view import portrait_shortcut
from webapp.text import literal, percent

FIGURES = {"Accuracy": "accuracy", "Macro-F1": "macro_f1"}
STAR, DEFAULT = " *", " (the default)"
Column = tuple[str, str]  # image set, and the part of it that was asked
Scores = Mapping[str, Sequence[SourceScore]]  # by the network's title
Recipes = Mapping[str, str]  # how it was trained, ditto


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
    recipes = {titles[run.name]: found for run in runs if (found := recipe(run.folder)) is not None}
    st.markdown(unseen_in_words(scores, first, recipes))
    _image_sets(scores, first)
    portrait_shortcut(runs, titles)


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


def unseen_in_words(scores: Scores, default: str = "", recipes: Recipes | None = None) -> str:
    """The answer before the table: what networks lose on an image set they were not trained on.

    Networks trained alike but for their image sets tell it; others differ in more than that.
    Image sets of too few pictures are left out, those that all or no network was trained on, and
    figures of other pictures than most networks were asked.

    Args:
        scores: Of each network.
        default: Title of the default network; "" where it is not among them.
        recipes: How each network was trained, but for its image sets, by title; networks that are
            not in it were trained like no other.
    """
    lines, lost = [], []
    for column, every in _columns(scores).items():
        shared = _shared(every)
        found = {name: one for name, one in every.items() if one.n == shared}
        tops = {
            seen: max((one.accuracy, name) for name, one in found.items() if one.seen is seen)
            for seen in (False, True)
            if any(one.seen is seen for one in found.values())
        }
        if len(tops) < 2 or shared < FEW:
            continue
        place = literal(source_names([column[0]]))
        alike = trained_alike(found, recipes or {})
        for without, others in alike:
            mean = sum(found[name].accuracy for name in others) / len(others)
            # Of the figures as they are told, so that readers get the same.
            lost.append(round(100 * mean, 1) - round(100 * found[without].accuracy, 1))
            lines.append(
                f"- {place}: {percent(found[without].accuracy)} by “{literal(without)}”; "
                f"{percent(mean)} by {' and '.join(f'“{literal(name)}”' for name in others)}, "
                "trained alike but with it" + (" (mean)." if len(others) > 1 else ".")
            )
        if not alike:
            (strange, stranger), (known, knower) = tops[False], tops[True]
            lines.append(
                f"- {place}: {percent(strange)} by “{literal(stranger)}”, the best never trained "
                f"on it; {percent(known)} by “{literal(knower)}”, the best trained on it. They "
                "differ in more than that."
            )
    if not lines:
        text = (
            "No image set of enough pictures was shown both to networks that were trained on it "
            "and to others, so nothing here tells how networks do on pictures of a new kind."
        )
    elif lost and min(lost) > 0:
        span = f"{min(lost):.1f} to {max(lost):.1f}" if len(lost) > 1 else f"{lost[0]:.1f}"
        text = (
            f"**On an image set left out of its training, a network is right {span} percentage "
            "points less often than networks trained alike with it.**"
        )
    elif lost:
        text = "**Networks trained alike, without an image set and with it:**"
    else:
        text = (
            "**No networks here were trained alike without an image set and with it, so what a "
            "new kind of pictures costs is not known.**"
        )
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


def _shared(found: Mapping[str, SourceScore]) -> int:
    """Of how many pictures figures are compared: those of most networks, if they are not few."""
    times = Counter(one.n for one in found.values())
    return max(times, key=lambda n: (n >= FEW, times[n], n))


def _best_first(scores: Scores, figure: str, default: str) -> Scores:
    """The default, then the others by their figures on the first image set's shared pictures."""
    found = next(iter(_columns(scores).values()), {})
    shared = _shared(found) if found else 0
    reached = {title: getattr(one, figure) for title, one in found.items() if one.n == shared}
    order = sorted(
        scores,
        key=lambda title: (title != default, -reached.get(title, -1.0), title not in found),
    )
    return {title: scores[title] for title in order}


def _heads(columns: Mapping[Column, Mapping[str, SourceScore]]) -> dict[Column, str]:
    """The image set and its shared pictures, and the part where both were asked."""
    heads = {}
    for (source, part), found in columns.items():
        told = f"{_shared(found):,}"
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
        "pictures. Figures without a star are of other pictures of a kind it knows, "
        "or of an imported network, of which that is not known."
    )
    columns = _columns(scores)
    heads = _heads(columns)
    shared = {column: _shared(found) for column, found in columns.items()}
    ordered = _best_first(scores, figure, default)
    st.html(sets_html(ordered, heads, figure, default, with_ends=with_ends))
    few = [head for column, head in heads.items() if shared[column] < FEW]
    others = any(one.n != shared[at] for at, found in columns.items() for one in found.values())
    st.caption(
        "In % of the pictures whose number stands in brackets, the best on the first set on top, "
        "below the default: of each set's published test, or, "
        "where it has none, of pictures kept apart from training. A network that also knows "
        "neutral chooses between the six expressions here, for the same pictures as all others."
        + (
            " Figures of other pictures have their own number below them, and are compared with "
            "none."
            if others
            else ""
        )
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
    rows, shared = [], {column: _shared(found) for column, found in _columns(scores).items()}
    for title, some in scores.items():
        found = {(one.source, one.part): one for one in some}
        shown = [
            _told(found.get(column), figure, shared.get(column, 0), with_ends=with_ends)
            for column in heads
        ]
        rows.append((title, *shown))
    return wrapping_table(
        ("Network", *heads.values()),
        rows,
        "figures",
        least="4.6rem" if with_ends else "3.3rem",
        marked=default,
        strange=STAR,
    )


def _told(one: SourceScore | None, figure: str, shared: int, *, with_ends: bool) -> str:
    """A figure, with its star where the set is strange; below it interval and own pictures."""
    if one is None:
        return "-"
    low, high = getattr(one, f"{figure}_interval")
    value = f"{100 * getattr(one, figure):.1f}{STAR if one.seen is False else ''}"
    ends = f"\n{100 * low:.1f} to {100 * high:.1f}" if with_ends else ""
    return value + ends + ("" if one.n == shared else f"\nof {one.n:,}")


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
                "trained_on_it": {True: "yes", False: "no", None: "not known"}[one.seen],
            }
            for figure in FIGURES.values():
                low, high = getattr(one, f"{figure}_interval")
                row |= {figure: getattr(one, figure), f"{figure}_low": low, f"{figure}_high": high}
            rows.append(row)
    return rows
