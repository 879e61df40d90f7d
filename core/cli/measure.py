"""The verbs that measure: bench, faithfulness and global-view."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from core.cli.terminal import JsonFile, Split, console, counting_bar, put_json
from core.errors import CoreError

STEPS_TOLD = 10  # lines of progress in a log


def bench(
    only: Annotated[list[str] | None, typer.Option("--only", help="Names to measure.")] = None,
    json_file: JsonFile = None,
    checkpoint: Annotated[str, typer.Option("--checkpoint", help="Checkpoint to use.")] = "default",
) -> None:
    """Measure speed beside a plain way of doing the same, in one run."""
    from core.bench import BENCHES
    from core.checkpoints import find_checkpoint

    folder = find_checkpoint(checkpoint)
    chosen = {name: BENCHES[name] for name in only or list(BENCHES)}
    results, missing = {}, False
    for name, measure in chosen.items():
        try:
            result = measure(folder)
        except CoreError as error:
            typer.echo(f"{name:<10} not measured: {error}", err=True)
            missing = True
            continue
        results[name] = result.to_json()
        typer.echo(
            f"{name:<10} ours {result.ours:9.2f}  baseline {_told(result.baseline, 9)} "
            f"{result.unit:<8} ratio {_told(result.ratio, 6)}  {result.note}",
            err=json_file == Path("-"),
        )
        if result.limit:
            typer.echo(
                f"{'':<10} limit {result.limit:8.2f} {result.unit}: {result.limit_note}",
                err=json_file == Path("-"),
            )
        for line in result.table:
            typer.echo("  " + " | ".join(line), err=json_file == Path("-"))
    put_json(json_file, results)
    if missing:
        raise typer.Exit(1)


def _told(value: float | None, width: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.2f}"


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

    The report of all methods is kept in the run's folder, where the app reads its badges; of a
    checkpoint that the app comes with in `evaluations` beside the runs.
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
    if put_json(json_file, report):
        return
    console().print(_faithfulness_table(report))
    for name, reason in report["refused"].items():
        typer.echo(f"{name} does not apply: {reason}")
    if why := report["planted"].get("refused"):
        typer.echo(f"The test with a planted mark was left out: {why}")


def _faithfulness_table(report: dict[str, Any]) -> Table:
    """One line a method and a control, best first."""
    table = Table(
        title=f"{report['checkpoint']}: {report['n']} test faces answered rightly",
        caption="gap = insertion - deletion, with its 95 % interval; mark = share of a small "
        "network's map on a planted mark",
    )
    for heading in (
        "method", "layer", "gap", "interval", "drop", "blank", "mark", "random weights", "verdict",
    ):  # fmt: skip
        table.add_column(heading, no_wrap=heading in ("method", "gap", "interval"))
    planted = report["planted"].get("shares", {})
    rows = sorted(report["methods"].items(), key=lambda row: -row[1]["gap"])
    for name, entry in rows:
        table.add_row(
            name,
            entry["layer"],
            f"{entry['gap']:+.3f}",
            _interval(entry),
            f"{entry['average_drop']:.0%}",
            f"{entry['blank']:.0%}",
            "-" if name not in planted else f"{planted[name]['share']:.0%}",
            entry["sanity"],
            entry["verdict"],
        )
    for name, entry in report["controls"].items():
        table.add_row(f"control: {name}", "", f"{entry['gap']:+.3f}", _interval(entry))
    return table


def _interval(entry: dict[str, Any]) -> str:
    return f"{entry['ci'][0]:+.3f} to {entry['ci'][1]:+.3f}"


def global_view(
    run: Annotated[str, typer.Argument(help="Run name, folder, or `default`.")] = "default",
    split: Annotated[Split, typer.Option(help="Which faces.")] = Split.TEST,
    faces: Annotated[int, typer.Option(min=1, help="At most, of each expression.")] = 100,
    method: Annotated[
        str | None,
        typer.Option(help="Explanation method; else the one the run's table recommends."),
    ] = None,
    json_file: JsonFile = None,
    data: Annotated[
        Path | None, typer.Option(help="Prepared data to use; else the run's own.")
    ] = None,
) -> None:
    """Show where a run's evidence lies on the average face, by expression and part of the face.

    The view is kept in the run's folder, where the results page reads it; of a checkpoint that the
    app comes with in `evaluations` beside the runs.
    """
    from core.global_view import make_global_view

    told: set[int] = set()
    with counting_bar("Faces") as bar:

        def show(done: int, total: int) -> None:
            bar(done, total)
            step = STEPS_TOLD * done // total
            if step not in told and not sys.stderr.isatty():  # a log has no bar
                told.add(step)
                typer.echo(f"{100 * done // total} % done", err=True)

        view = make_global_view(
            run, split=split.value, data=data, faces=faces, method=method, on_progress=show
        )
    if not put_json(json_file, view):
        console().print(_regions_table(view))


def _regions_table(view: dict[str, Any]) -> Table:
    """One line a region, one column an expression: what hiding the region costs the answer."""
    table = Table(
        title=f"{view['checkpoint']}, {view['split']}: {view['n']} faces, rightly answered ones",
        caption="points of probability lost when the region is hidden, with the 95 % interval",
    )
    table.add_column("region")
    right = [group for group in view["groups"] if group["answered"] == "right"]
    for group in right:
        table.add_column(f"{group['label']} ({group['n']})")
    for region in view["regions"]:
        table.add_row(region, *(_cell(group["regions"][region]["drop"]) for group in right))
    return table


def _cell(values: list[float] | None) -> str:
    if values is None:
        return "-"
    mean, low, high = (100 * value for value in values)
    return f"{mean:.1f} ({low:.1f} to {high:.1f})"
