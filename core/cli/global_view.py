"""The verb `global-view`: where a run's evidence lies on the average face."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.cli.results import Split
from core.cli.terminal import JsonFile, counting_bar, put_json

STEPS_TOLD = 10  # lines of progress in a log


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

    The view is kept in the run's folder, where the results page reads it.
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
    if json_file is not None:
        put_json(json_file, view)
        if json_file == Path("-"):
            return
    Console().print(_table(view))


def _table(view: dict[str, Any]) -> Table:
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
    return f"{mean:.1f} [{low:.1f}, {high:.1f}]"
