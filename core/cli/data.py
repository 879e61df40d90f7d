"""Verbs about data: `prepare`, `audit` and `frame`."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import JsonFile, progress_bar, put_json, writable_folder

Progress = Callable[[int, int, str], None]
LOG_STEPS = 20  # lines a log file gets for the pictures


class ClassSet(StrEnum):
    """Class lists a data set can be prepared with."""

    SIX = "six"
    SEVEN = "seven"


def prepare(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders, zips or pixel tables as downloaded; NAME=PATH says which data set one "
            "is; `demo` stands for drawn faces.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for the prepared data.", callback=writable_folder)
    ],
    class_set: Annotated[
        ClassSet, typer.Option(help="Six expressions, or seven with neutral.")
    ] = ClassSet.SIX,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that decode pictures.")
    ] = min(2, os.cpu_count() or 1),
    exclude: Annotated[
        Path | None,
        typer.Option(help="Exclude list (CSV with a column pixel_hash) to take over."),
    ] = None,
    frame_step: Annotated[
        int | None,
        typer.Option(min=1, help="Of videos every so many frames are taken; else every 100th."),
    ] = None,
) -> None:
    """Build manifest, cache, splits and audit; does nothing where they are there already."""
    from core.data import prepare as build

    with ExitStack() as stack:
        dataset = build(
            list(sources),
            out,
            class_set=class_set.value,
            workers=workers,
            progress=_bar(stack) if sys.stderr.isatty() else _lines(),
            exclude_file=exclude,
            frame_step=frame_step,
        )
    info = dataset.info
    parts = dataset.split("clean")["part"].value_counts()
    numbers = ", ".join(f"{name} {parts.get(name, 0):,}" for name in ("train", "valid", "test"))
    typer.echo(f"{info['images']:,} pictures in {out}, {info['skipped']:,} skipped.")
    typer.echo(f"Split clean: {numbers}. Data {dataset.data_hash[:12]}.")


def audit(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Prepared data.")],
    json_file: JsonFile = None,
    ship: Annotated[
        bool,
        typer.Option(help="Renew the audit that the repository ships, for machines without data."),
    ] = False,
) -> None:
    """Show counts against the paper's Table 1, duplicates, leaks, conflicts and shortcuts."""
    from core.data import audit as examine
    from core.data import load_dataset, report_text, write_shipped

    dataset = load_dataset(folder)
    values = examine(dataset)
    if ship:
        write_shipped(dataset, values)
    if json_file is not None:
        put_json(json_file, values)
    if json_file != Path("-"):
        typer.echo(report_text(values), nl=False)


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
