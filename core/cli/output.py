"""Figures of a command as JSON: into a file, or to the terminal."""

import json
from pathlib import Path
from typing import Any

import typer

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
