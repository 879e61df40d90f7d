"""Tables and JSON of a data set, read with errors for people and written in one step."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import DataError
from core.files import write_text


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Replace a table at once, without its index; the folder is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_json(path: Path) -> dict[str, Any]:
    """Read an object from a JSON file.

    Raises:
        DataError: The file is absent or holds no object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.parent.name}/{path.name} cannot be read ({error}). Prepare the data set again."
        ) from error
    if not isinstance(values, dict):
        raise DataError(f"{path.parent.name}/{path.name} holds no object. Prepare it again.")
    return values
