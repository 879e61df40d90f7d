"""report.json of a run folder, in and out.  Quick to import."""

import json
from pathlib import Path
from typing import Any

from core.errors import CheckpointError
from core.files import write_json

FORMAT = 1


def save_report(report: dict[str, Any], path: Path) -> None:
    """Replace report.json at once."""
    write_json(path, report)


def load_report(folder: Path) -> dict[str, Any]:
    """The report of a run folder.

    Raises:
        CheckpointError: There is none, or it cannot be read.
    """
    remedy = f"Run: python -m core evaluate {folder.name}"
    try:
        report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
        found = report["format"]
    except FileNotFoundError:
        raise CheckpointError(f"{folder.name} has no report.json. {remedy}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"report.json of {folder.name} cannot be read ({error!r}). {remedy}"
        ) from error
    if found != FORMAT:
        raise CheckpointError(
            f"report.json of {folder.name} has format {found}, expected {FORMAT}. {remedy}"
        )
    return report
