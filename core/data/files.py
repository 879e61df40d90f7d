"""Tables and JSON written beside their target and renamed, so that no reader sees half a file."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text in one step; the folder is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index, in one step."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def write_json(path: Path, values: Any, *, indent: int | None = 1) -> None:
    """Write plain values, in one step."""
    write_text(path, json.dumps(values, indent=indent, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote.

    Raises:
        DataError: The file is absent or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.parent.name}/{path.name} cannot be read ({error}). Prepare the data set again."
        ) from error
