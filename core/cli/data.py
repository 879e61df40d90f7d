"""Verbs about data: `prepare`, `audit`, `mislabelled` and `frame`."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.checkpoints import find_checkpoint
from core.cli.terminal import (
    JsonFile,
    counting_bar,
    file_ending_in,
    progress_bar,
    put_json,
    writable_folder,
)
from core.errors import DataError
from core.files import write_text
from core.tabular import frame_csv, table_text

if TYPE_CHECKING:
    import pandas as pd

    from core.data import Understood

Progress = Callable[[int, int, str], None]
FIRST = 500  # pictures of a ranking that are compared with raters' votes
LOG_STEPS = 20  # lines a log file gets for the pictures


class ClassSet(StrEnum):
    """Class lists a data set can be prepared with."""

    SIX = "six"
    SEVEN = "seven"


class Part(StrEnum):
    """Parts of the clean split."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


def prepare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, zips or tables as downloaded; NAME=PATH says which data set one "
            "is; `demo` stands for drawn faces.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the prepared data.", callback=writable_folder)
    ] = None,
    class_set: Annotated[
        ClassSet, typer.Option(help="Six expressions, or seven with neutral.")
    ] = ClassSet.SIX,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that decode pictures.")
    ] = min(2, os.cpu_count() or 1),
    exclude: Annotated[
        Path | None,
        typer.Option(
            help="Exclude list (CSV with a column pixel_hash); its pictures join the list that "
            "the data set has."
        ),
    ] = None,
    frame_step: Annotated[
        int | None,
        typer.Option(min=1, help="Of videos every so many frames are taken; else every 100th."),
    ] = None,
    class_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="NAME=CLASS",
            help="What a folder, number or value means, as 1=anger; =skip leaves it out. "
            "May be repeated.",
        ),
    ] = None,
    split_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SPLIT",
            help="Which split a folder or value is, as archive=train; train, valid, test or skip. "
            "May be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(help="Only show what was understood of the sources, and build nothing."),
    ] = False,
) -> None:
    """Build manifest, cache, splits and audit; does nothing where they are there already."""
    from core.data import NameMap, count_excluded, refuse_open, understand
    from core.data import prepare as build

    names = NameMap.parse(class_map or (), split_map or ())
    if dry_run:
        understood = understand(sources, class_set.value, frame_step, names)
        _show(understood)
        refuse_open(understood)
        return
    if out is None:
        raise typer.BadParameter("Missing option '--out': the folder for the prepared data.")
    with ExitStack() as stack:
        dataset = build(
            list(sources),
            out,
            class_set=class_set.value,
            workers=workers,
            progress=_bar(stack) if sys.stderr.isatty() else _lines(),
            exclude_file=exclude,
            frame_step=frame_step,
            names=names,
            show=partial(_show, err=True),
        )
    info = dataset.info
    parts = dataset.split("clean")["part"].value_counts()
    numbers = ", ".join(f"{name} {parts.get(name, 0):,}" for name in ("train", "valid", "test"))
    typer.echo(f"{info['images']:,} pictures in {out}, {info['skipped']:,} skipped.")
    typer.echo(f"Split clean: {numbers}. Data {dataset.data_hash[:12]}.")
    if exclude is not None:
        known, listed = count_excluded(exclude, dataset.manifest)
        typer.echo(f"Exclude list: {known:,} of {listed:,} listed pictures are in the set.")


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Prepared data.")],
    json_file: JsonFile = None,
    mirrored: Annotated[
        bool,
        typer.Option(
            "--mirrored",
            help="Look for mirrored copies in data that were prepared before these were looked "
            "for; their splits stay as they are.",
        ),
    ] = False,
    ship: Annotated[
        bool,
        typer.Option(help="Renew the audit that the repository ships, for machines without data."),
    ] = False,
) -> None:
    """Show counts against the paper's Table 1, duplicates, leaks, conflicts and shortcuts."""
    from core.data import audit as examine
    from core.data import load_dataset, mirrored_pairs, report_text, write_shipped

    dataset = load_dataset(folder)
    values = examine(dataset, mirrored_pairs(dataset) if mirrored else None)
    if ship:
        write_shipped(dataset, values)
    if json_file is not None:
        put_json(json_file, values)
    if json_file != Path("-"):
        typer.echo(report_text(values), nl=False)


def mislabelled(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Prepared data.")],
    run: Annotated[
        str, typer.Option(help="The run whose network judges: a name, a folder or `default`.")
    ] = "default",
    part: Annotated[Part, typer.Option(help="Part of the clean split.")] = Part.TRAIN,
    source: Annotated[
        list[str] | None, typer.Option(help="Only the pictures of this source; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv",
            callback=file_ending_in(".csv"),
            help="Also write the ranking here, with FER+ votes where there are any. Less the rows "
            "that are right after all, it is an exclude list for `prepare --exclude`.",
        ),
    ] = None,
) -> None:
    """Rank pictures by how doubtful their labels are, for the explorer's view Mislabelled."""
    from core.data import load_dataset, rater_votes
    from core.evaluation import label_errors

    dataset = load_dataset(folder)
    keeps = os.access(folder, os.W_OK)
    if not keeps and out is None:
        raise DataError(f"{folder} takes no files. Name one for the ranking with --out.")
    votes = rater_votes(dataset)
    with counting_bar("Looking") as show:
        found = label_errors(find_checkpoint(run), dataset, part.value, source, on_progress=show)
    table, suspects = found.table, int(found.table["suspect"].sum())
    typer.echo(
        f"{len(table):,} pictures of {part.value}, {suspects:,} of them probably mislabelled, by "
        f"answers of the {found.facts['answers']}."
    )
    if keeps:
        typer.echo(f"The ranking is kept in {found.save(folder)}.")
    if votes is not None:
        _compare_with_votes(table, votes)
        table = table.join(votes, on="id")
    if out is not None:
        write_text(out, frame_csv(table))


def _compare_with_votes(table: "pd.DataFrame", votes: "pd.DataFrame") -> None:
    from core.data import contradicted

    rated = table[table["id"].isin(votes.index)].set_index("id")
    if rated.empty:
        return
    against = contradicted(votes.loc[rated.index], rated["label"])
    for name, words in (
        ("fewer", "another choice than the label has more votes"),
        ("majority", "more than half of the votes go to one other choice"),
    ):
        first, every = against[name].head(FIRST).mean(), against[name].mean()
        typer.echo(
            f"FER+ raters: {words} for {first:.1%} of the first {min(FIRST, len(rated)):,}, for "
            f"{every:.1%} of all {len(rated):,}."
        )


def frame(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Prepared data.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only the pictures of this source; may be repeated.")
    ] = None,
) -> None:
    """Find out how the app would frame every face, so that training can show it so (`reframe`)."""
    from core.data import find_frames, load_dataset

    dataset = load_dataset(folder)
    with ExitStack() as stack:
        show = _bar(stack) if sys.stderr.isatty() else _lines()
        frames = find_frames(
            dataset, source, lambda done, total: show(done, total, "finding faces")
        )
    looked = int(frames.looked.sum())
    typer.echo(f"A face was found in {frames.found:,} of {looked:,} pictures looked at.")


def _show(understood: tuple["Understood", ...], err: bool = False) -> None:
    """What was understood of every source: a table, and sentences on what deserves a look."""
    for one in understood:
        head = (
            f"{one.name}, read as {one.source}: {one.taken:,} pictures, {one.left_out:,} left out"
        )
        typer.echo(head + ".", err=err)
        typer.echo(table_text(one.table(), "md"), err=err)
        for remark in one.remarks():
            typer.echo(remark, err=err)


def _bar(stack: ExitStack) -> Progress:
    """A bar for the stage that counts, a line for the others."""
    bars: list[Callable[[float], None]] = []

    def show(done: int, total: int, what: str) -> None:
        if not total:
            typer.echo(f"{what.capitalize()} ...", err=True)
            return
        if not bars:
            bars.append(stack.enter_context(progress_bar(what.capitalize(), total)))
        bars[0](done)

    return show


def _lines() -> Progress:
    """A line now and then, for log files."""
    last = -1

    def show(done: int, total: int, what: str) -> None:
        nonlocal last
        if not total:
            typer.echo(f"{what.capitalize()} ...", err=True)
        elif done == total or LOG_STEPS * done // total > last:
            last = LOG_STEPS * done // total
            typer.echo(f"{what.capitalize()}: {done:,} of {total:,}", err=True)

    return show
