"""The pictures whose labels a network doubts most, to judge by eye and to exclude."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data import title_of
from core.labels import COLOURS
from core.paths import read_only
from core.tabular import frame_csv
from webapp import widgets
from webapp.dataset_explorer import address, excluding, store, tiles
from webapp.errors import shown_errors
from webapp.pictures import STYLE, TILE
from webapp.text import counted, literal, percent
from webapp.waiting import made_of_pictures

if TYPE_CHECKING:
    from core.evaluation import LabelErrors

SAMPLES = (1000, 2000, 4000)
PAGE = 24  # pictures
REASON = "probably mislabelled"
# A network that agrees with fewer labels, or doubts more of them, tells of itself, not of them.
AGREEING, DOUBTED = 0.5, 0.2
_CHOSEN = "doubt "  # before a picture's number: the key of its box


def show(folder: Path) -> None:
    """Draw the ranking, a page at a time."""
    checkpoint = widgets.checkpoint_picker()
    if checkpoint is None:
        return
    left, right = st.columns(2)
    part = left.selectbox("Part of the clean split", ("train", "valid", "test"), key="doubt part")
    found = store.kept_label_errors(folder, checkpoint, part)
    if found is None:
        amount = right.selectbox(
            "Pictures, drawn at random", SAMPLES, key="doubt amount",
            help="The command `python -m core mislabelled` ranks the whole part; its ranking then "
            "shows here.",
        )  # fmt: skip
        found = made_of_pictures(
            "ranking",
            (str(folder), str(checkpoint), part, amount),
            "Holding answers against labels,",
            partial(store.label_errors, folder, checkpoint, part, amount),
        )
    if found is None:
        return
    fit = _explain(found)
    others = st.toggle(
        "Show the others, too",
        key="doubt others",
        on_change=address.first_page,
        help="Those whose label is not doubtful, after those whose label is.",
    )
    votes = _votes(folder)
    rows = _chosen(found.table.join(store.pictures(folder)["excluded"], on="id"), votes)
    rows = listed(rows, others=others)
    if rows.empty:
        _say_empty(found.table, others=others)
        return
    _toolbar(folder, checkpoint.name, rows, votes)
    _page(folder, rows, votes, fit=fit)


def is_fit(table: pd.DataFrame) -> bool:
    """Whether a network knows the pictures of its ranking well enough to judge their labels."""
    agreeing = table["answer"].eq(table["label"]).mean()
    return bool(agreeing >= AGREEING and table["suspect"].mean() <= DOUBTED)


def listed(rows: pd.DataFrame, *, others: bool) -> pd.DataFrame:
    """The doubtful ones of a ranking, in its order; where asked for, the others after them."""
    return pd.concat([rows[rows["suspect"]], *([rows[~rows["suspect"]]] if others else [])])


def _say_empty(table: pd.DataFrame, *, others: bool) -> None:
    """Why nothing is listed, and how to take back what may have emptied the list."""
    if others:
        st.info("No picture fits these filters. Take one of them away.")
    elif not table["suspect"].any():
        st.success("None of these labels is doubtful.")
    else:
        st.info(
            "No doubtful label is left to show: the pictures are excluded, or the filters on the "
            "left leave them out."
        )
    excluding.undo_button()


def _explain(found: "LabelErrors") -> bool:
    """Say what the ranking is; whether the network is fit for it."""
    facts, number = found.facts, len(found.table)
    own = facts["answers"] == "network"
    how = (
        "the network itself, which was not trained on these pictures"
        if own
        else "logistic regression on what the network's last layer gets (its features), in 5 "
        "folds, so that no answer has learnt the label it is held against (the layers below it "
        "may have). The network's own answers, which the views Pictures and Map tell of, are "
        "others and can agree with far fewer labels"
    )
    drawn = "drawn at random from" if facts["drawn"] else "all of"
    only = [title_of(name) for name in facts["sources"] or ()]
    left_out = (
        f" {counted(facts['left_out'], 'picture')} with labels that the network does not have "
        "cannot be judged."
        if facts["left_out"]
        else ""
    )
    agreeing = found.table["answer"].eq(found.table["label"]).mean()
    who = "The network" if own else "A classifier fitted anew on this network's features"
    st.markdown(
        f"Doubtful: **{int(found.table['suspect'].sum()):,} of {counted(number, 'label')}** "
        f"({drawn} {literal(' and '.join(only)) + ' in ' if only else ''}this part). "
        f"{who} agrees with {percent(agreeing)} of the {counted(number, 'label')}."
    )
    fit = is_fit(found.table)
    if not fit:
        st.warning(
            "The network does not know this kind of picture well, so this list says little about "
            "the labels: exclude nothing in bulk because of it."
        )
    st.caption(
        "Confident learning (Northcutt et al., 2021): a label is doubtful where another expression "
        "is at least as probable as it is on average for pictures labelled so. The probabilities: "
        f"{how}.{left_out} First come the labels whose probability lies furthest below that of "
        "another expression. A network errs, too: look before you exclude."
    )
    return fit


def _votes(folder: Path) -> pd.DataFrame | None:
    """Raters' votes; a file that cannot be used is said, and the view does without."""
    with shown_errors():
        return store.votes(folder)
    return None


def _chosen(rows: pd.DataFrame, votes: pd.DataFrame | None) -> pd.DataFrame:
    """Draw the filters in the sidebar; the rows that pass."""
    sources = list(rows["source"].unique())
    titles = {name: title_of(name) for name in sources}
    for column, title, names, shown in (
        ("source", "Source", sources, titles),
        ("label", "Class", [name for name in COLOURS if name in set(rows["label"])], {}),
    ):
        picked = address.linked_choices(title, names, column, shown, "all")
        rows = rows[rows[column].isin(picked)] if picked else rows
    if st.sidebar.toggle("Hide excluded pictures", value=True, key="doubt hidden"):
        rows = rows[~rows["excluded"]]
    if votes is not None and st.sidebar.toggle("Only pictures with FER+ votes", key="doubt voted"):
        rows = rows[rows["id"].isin(votes.index)]
    return rows


def _toolbar(folder: Path, name: str, rows: pd.DataFrame, votes: pd.DataFrame | None) -> None:
    line = st.container(horizontal=True, vertical_alignment="bottom")
    tiles.page_picker(line, tiles.page_count(rows, PAGE), width=160)
    table = rows if votes is None else rows.join(votes, on="id")
    line.download_button(
        "Download as CSV",
        lambda: frame_csv(table).encode(),
        f"{folder.name}-{name}-mislabelled.csv",
        mime="text/csv",
        on_click="ignore",
        help="A row a picture in this order. No picture is in the file.",
    )


def _page(folder: Path, rows: pd.DataFrame, votes: pd.DataFrame | None, *, fit: bool) -> None:
    page = st.session_state[address.PAGE]
    shown = rows.iloc[(page - 1) * PAGE : page * PAGE]
    keys = {int(number): f"{_CHOSEN}{number}" for number in shown["id"]}
    doubtful = [keys[int(number)] for number in shown.loc[shown["suspect"], "id"]]
    all_doubtful = bool(rows["suspect"].all())
    actions = st.container(horizontal=True, vertical_alignment="center")
    pictures, data = store.pictures(folder), store.dataset(folder)
    st.html(STYLE)
    grid = st.container(horizontal=True, gap="small")
    for _, row in shown.iterrows():
        number = int(row["id"])
        place = grid.container(border=True, width=TILE + 56, height="stretch", gap="small")
        with place:
            picture = pictures.iloc[number].copy()
            picture["label"] = f"Label: {picture['label']}"
            tiles.tile(data, picture, "doubtful")
        place.caption(_words(row, votes))
        if row["suspect"] and not all_doubtful:
            place.badge("doubtful", color="violet")
        if not read_only():
            place.checkbox("Exclude", key=keys[number], disabled=bool(row["excluded"]))
    with actions:
        _actions(folder, pictures, keys, doubtful if fit else [])
    tiles.pager(page, tiles.page_count(rows, PAGE))


def _words(row: pd.Series, votes: pd.DataFrame | None) -> str:
    """How probable answer and label are, and what raters say, in Markdown."""
    # A line each: longer names would take them anyhow, and tiles would differ in height.
    lines = [
        f"Answer: **{row['answer']}**",
        percent(row["confidence"]),
        f"Its label: {percent(row['label_probability'])}",
    ]
    if votes is not None and row["id"] in votes.index:
        given = votes.loc[row["id"]]
        most = given[given > 0].sort_values(ascending=False, kind="stable").head(3)
        lines.append(
            "Raters: "
            + ", ".join(f"{literal(str(name))} {number}" for name, number in most.items())
        )
    return "  \n".join(lines)


def _actions(
    folder: Path, pictures: pd.DataFrame, keys: dict[int, str], doubtful: list[str]
) -> None:
    """Exclude what is chosen on this page, and take it back.

    Args:
        folder: Of the data set.
        pictures: All of it.
        keys: Of the boxes on this page, by number of the picture.
        doubtful: Those of them that may be chosen at once.
    """
    if read_only():
        return
    chosen = [number for number, key in keys.items() if st.session_state.get(key)]
    if doubtful:
        st.button(
            "Choose all of this page"
            if len(doubtful) == len(keys)
            else "Choose the doubtful ones of this page",
            on_click=_choose,
            args=(doubtful,),
            key="doubt all",
        )
    st.button(
        f"Exclude {counted(len(chosen), 'picture')}" if chosen else "Exclude those chosen",
        type="primary",
        on_click=_exclude,
        args=(folder, pictures.iloc[chosen], list(keys.values())),
        disabled=not chosen,
        key="doubt exclude",
        help="Puts them on the exclude list; the next preparation drops them from every split.",
    )
    excluding.undo_button()


def _choose(keys: list[str]) -> None:
    st.session_state.update(dict.fromkeys(keys, True))


def _exclude(folder: Path, rows: pd.DataFrame, keys: list[str]) -> None:
    excluding.exclude(folder, rows, REASON)
    st.session_state.update(dict.fromkeys(keys, False))
