"""What commands share: parts of a run they take, and sentences, JSON, bars they print."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import CoreError
from core.files import write_json

LOG_WIDTH = 140  # characters; a file has no edge at which lines must break


class Split(StrEnum):
    """Parts a run can be evaluated on."""

    TEST = "test"
    TEST_CLEAN = "test_clean"
    VALID = "valid"
    PUBLISHED_VALID = "published_valid"
    TRAIN = "train"


def _nearest(path: Path) -> Path:
    """The folder that `path` is to be made in, or the first of its parents that exists."""
    return next(parent for parent in path.absolute().parents if os.path.lexists(parent))


def _refuse_place(path: Path) -> None:
    """Refuse a place in which nothing can be made, before any work is done."""
    nearest = _nearest(path)
    if not nearest.is_dir():
        raise typer.BadParameter(f"{path} cannot be written: {nearest} is no folder.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{path} cannot be written: {nearest} refuses new files.")


def writable_file(path: Path | None) -> Path | None:
    """Let a file to write pass where one can be written; "-" passes.

    Raises:
        typer.BadParameter: It is a folder, or lies in no folder that takes files.
    """
    if path is None or str(path) == "-":
        return path
    if path.is_dir():
        raise typer.BadParameter(f"{path} is a folder; expected the name of a file to write.")
    _refuse_place(path)
    return path


def file_ending_in(*suffixes: str) -> Callable[[Path | None], Path | None]:
    """A check of a file to write, as `writable_file` has it, whose name says what it will hold.

    Args:
        suffixes: Those that may end it, in small letters, with their dots.
    """

    def checked(path: Path | None) -> Path | None:
        if writable_file(path) is not None:
            refuse_ending(str(path), *suffixes)
        return path

    return checked


def refuse_ending(name: str, *suffixes: str) -> None:
    """Refuse a name that says another form than is written.

    Raises:
        typer.BadParameter: It ends in none of the suffixes.
    """
    from core.images import SUFFIXES

    suffix = Path(name).suffix.lower()
    if suffix in suffixes:
        return
    found = f"ends in {suffix}" if suffix else "has no ending"
    if suffix in SUFFIXES:
        found = "is a picture's name"
    raise typer.BadParameter(f"{name} {found}; expected {' or '.join(suffixes)}.")


def writable_folder(path: Path | None) -> Path | None:
    """Let a folder to write into pass where it is one or can be made.

    Raises:
        typer.BadParameter: It is a file, or lies in no folder that takes files.
    """
    if path is None:
        return path
    if os.path.lexists(path) and not path.is_dir():
        raise typer.BadParameter(f"{path} is a file; expected a folder to write into.")
    _refuse_place(path / "file")
    return path


JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json",
        help="Also write the figures to this file, or - to print them.",
        callback=writable_file,
    ),
]


def refuse_beside(context: typer.Context, option: str, why: str, *kept: str) -> None:
    """Refuse whatever else was typed beside an option that leaves no use for it.

    Args:
        context: Of the command.
        option: As it is typed, for the error's text.
        why: What the option does, a clause that follows "which".
        kept: Names of the parameters that may stand beside it, the option's own among them.

    Raises:
        typer.BadParameter: Something else was typed.
    """
    typed = [
        max(parameter.opts, key=len) if parameter.opts[0].startswith("-") else str(value)
        for parameter in context.command.params
        if (name := parameter.name or "") not in kept
        and (value := context.params.get(name)) is not None
        and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if typed:
        raise typer.BadParameter(
            f"{', '.join(typed)} cannot apply beside {option}, which {why}. Leave one of them out."
        )


def console() -> Console:
    """Where tables are printed: as wide as the terminal, or wide enough for a file."""
    return Console(width=None if sys.stdout.isatty() else LOG_WIDTH)


def put_json(path: Path | None, content: Any) -> bool:  # noqa: ANN401 - JSON
    """Write figures to a file, or print them where the path is "-"; None asks for neither.

    Returns:
        Whether they were printed, and so stand for the tables.

    Raises:
        CoreError: The file cannot be written.
    """
    if path is None:
        return False
    if str(path) == "-":
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return True
    try:
        write_json(path, content)
    except OSError as error:
        raise CoreError(
            f"{path} cannot be written ({error.strerror}). Name a file in a folder that exists."
        ) from error
    return False


@contextmanager
def progress_bar(title: str, total: float) -> Iterator[Callable[[float], None]]:
    """Give a function that takes the amount done so far."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done: bars.update(task, completed=done)


@contextmanager
def counting_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that takes what is done and what there is; its first call begins the bar."""
    with ExitStack() as stack:
        bars: list[Callable[[float], None]] = []

        def show(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(progress_bar(title, total)))
            bars[0](done)

        yield show
