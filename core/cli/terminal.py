"""What commands print: sentences, JSON, progress bars."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import CoreError
from core.files import write_json


def put_json(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    """Write figures to a file, or print them where the path is "-".

    Raises:
        CoreError: The file cannot be written.
    """
    if str(path) == "-":
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    try:
        write_json(path, content)
    except OSError as error:
        raise CoreError(
            f"{path} cannot be written ({error.strerror}). Name a file in a folder that exists."
        ) from error


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
