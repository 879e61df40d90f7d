"""The verb `faithfulness`: how true the explanations of a run are."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.cli.terminal import JsonFile, counting_bar, put_json

LOG_WIDTH = 140  # characters; a file has no edge at which lines must break


def faithfulness(
    run: Annotated[str, typer.Argument(help="Run name, folder, or `default`.")] = "default",
    json_file: JsonFile = None,
    faces: Annotated[int, typer.Option(min=2, help="How many test faces.")] = 300,
    methods: Annotated[
        list[str] | None, typer.Option("--method", help="Only this method; may be repeated.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Prepared data to use; else the run's own.")
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only faces of this image set; may be repeated."),
    ] = None,
    mark: Annotated[
        int | None,
        typer.Option(help="Side in pixels of the mark that maps must find; else 5/16 of the face."),
    ] = None,
) -> None:
    """Measure whether a run's explanations are true: insertion, deletion, controls, randomisation.

    The report of all methods is kept in the run's folder, where the app reads its badges.
    """
    from core.faithfulness import measure_faithfulness

    with counting_bar("Measuring") as bar:

        def show(done: int, total: int, name: str) -> None:
            bar(done, total)
            if name and not sys.stderr.isatty():  # a log has no bar
                typer.echo(f"{done} of {total} measured, now {name}", err=True)

        report = measure_faithfulness(
            run,
            data=data,
            sources=sources or (),
            faces=faces,
            methods=methods,
            mark=mark,
            on_progress=show,
        )
    if json_file is not None:
        put_json(json_file, report)
        if json_file == Path("-"):
            return
    Console(width=None if sys.stdout.isatty() else LOG_WIDTH).print(_table(report))
    for name, reason in report["refused"].items():
        typer.echo(f"{name} does not apply: {reason}")


def _table(report: dict[str, Any]) -> Table:
    """One line a method and a control, best first."""
    table = Table(
        title=f"{report['checkpoint']}: {report['n']} test faces answered rightly",
        caption="gap = insertion - deletion, with its 95 % interval",
    )
    for heading in ("method", "layer", "gap", "interval", "drop", "blank", "random weights"):
        table.add_column(heading, no_wrap=heading in ("method", "gap", "interval"))
    table.add_column("verdict")
    rows = sorted(report["methods"].items(), key=lambda row: -row[1]["gap"])
    for name, entry in rows:
        table.add_row(
            name,
            entry["layer"],
            f"{entry['gap']:+.3f}",
            _interval(entry),
            f"{entry['average_drop']:.0%}",
            f"{entry['blank']:.0%}",
            entry["sanity"],
            entry["verdict"],
        )
    for name, entry in report["controls"].items():
        table.add_row(f"control: {name}", "", f"{entry['gap']:+.3f}", _interval(entry))
    return table


def _interval(entry: dict[str, Any]) -> str:
    return f"{entry['ci'][0]:+.3f} to {entry['ci'][1]:+.3f}"
