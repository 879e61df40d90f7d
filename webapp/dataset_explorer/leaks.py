"""Leaks between the published parts, shown as pairs of pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core.data import title_of
from core.tabular import frame_csv
from webapp import pictures
from webapp.dataset_explorer import store, tiles
from webapp.text import counted, literal

PAIRS = 12  # a page
KINDS = ["split_a", "split_b", "source_a", "source_b", "exact", "same_label", "mirrored"]


def show(folder: Path) -> None:
    """Draw the table of leaks and the pairs behind the chosen row."""
    findings = store.findings(folder)
    turned = (findings.get("mirrored") or {}).get("leaks", [])  # absent from earlier audits
    found = [
        {**leak, "mirrored": mirrored}
        for leaks, mirrored in ((findings["leaks"], False), (turned, True))
        for leak in leaks
    ]
    if not found:
        _nothing_found(findings)
        return
    st.caption(
        "Pictures of one published part that stand in an earlier one, too: a network measured on "
        "the later part has seen them. Near copies are the same photograph saved again; their "
        "64 x 64 squares are almost equal. Mirrored copies agree when one of the two is turned "
        "left to right. The split `clean` has none of these. Choose a row to see its pairs."
    )
    picked = st.dataframe(
        _table(found), hide_index=True, on_select="rerun", selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}}, key=f"leak table {folder.name}",
    )  # fmt: skip
    number = (picked["selection"]["rows"] or [0])[0]
    leaks = store.leaks(folder)
    pairs = _pairs(leaks, found[number])
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.markdown(f"**{counted(len(pairs), 'pair')}**")
    pages = -(-len(pairs) // PAIRS)
    page = 1
    if pages > 1:
        key = f"leak page {folder.name} {number}"
        page = row.number_input(f"Page of {pages}", 1, pages, key=key, width=160)
    row.download_button(
        "Download all pairs as CSV",
        lambda: frame_csv(leaks).encode(),
        f"{folder.name}-leaks.csv",
        on_click="ignore",
    )
    _draw(folder, pairs.iloc[(page - 1) * PAIRS : page * PAIRS])


def _nothing_found(findings: dict[str, Any]) -> None:
    """Say that there is no leak, and among what it was looked for."""
    parts: dict[str, int] = {}
    for splits in findings["counts"].values():
        for split, row in splits.items():
            if split != store.UNLABELLED:  # in no part
                parts[split] = parts.get(split, 0) + sum(row.values())
    number = counted(sum(parts.values()), "picture")
    if len(parts) < 2:
        st.info(f"The {number} stand in one part, so that none can have a copy in another.")
        return
    st.success("No picture of one published part has a copy in another.")
    turned = (
        "Copies turned left to right were not looked for: an earlier version of this software "
        "prepared the data set."
        if findings.get("mirrored") is None
        else "Copies turned left to right were looked for, too."
    )
    st.caption(
        f"Compared were all {number} ("
        + ", ".join(f"{literal(split)} {count:,}" for split, count in parts.items())
        + "). Exact copies are equal pixel for pixel; near copies are the same photograph saved "
        f"again, whose 64 x 64 squares are almost equal. {turned}"
    )


def _table(found: list[dict[str, Any]]) -> pd.DataFrame:
    rows = pd.DataFrame(found)
    return pd.DataFrame(
        {
            "picture of": rows["source_b"].map(title_of) + ", " + rows["split_b"],
            "stands in": rows["source_a"].map(title_of) + ", " + rows["split_a"],
            "copy": rows["exact"]
            .map({True: "exact", False: "near"})
            .mask(rows["mirrored"], "mirrored"),
            "labels": rows["same_label"].map({True: "same", False: "different"}),
            "pictures": rows["n"],
        }
    )


def _pairs(leaks: pd.DataFrame, kind: Mapping[str, object]) -> pd.DataFrame:
    wanted = pd.Series(True, index=leaks.index)
    for column in KINDS:
        wanted &= leaks[column] == kind[column]
    return leaks[wanted]


def _draw(folder: Path, pairs: pd.DataFrame) -> None:
    table, data = store.pictures(folder), store.dataset(folder)
    st.html(pictures.STYLE)
    grid = st.container(horizontal=True)
    columns = (pairs[name] for name in ("id_b", "id_a", "exact", "mirrored", "correlation"))
    for first, second, exact, mirrored, correlation in zip(*columns, strict=True):
        rows = [table.iloc[int(number)] for number in (first, second)]
        place = grid.container(border=True, width=2 * pictures.TILE + 56, gap="small")
        both = place.container(horizontal=True, gap="small")
        for row in rows:
            with both:
                tiles.tile(data, row, f"leak {first}")
        how_near = "equal" if exact else f"correlation {correlation:.3f}"
        how_near = f"mirrored, {how_near}" if mirrored else how_near
        parts = [literal(f"{title_of(row['source'])} {row['split']}") for row in rows]
        place.caption(f"{' · '.join(parts)} · {how_near}")
