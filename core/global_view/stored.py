"""The files in which a run's folder keeps its global views."""

import json
from pathlib import Path
from typing import Any

from core.checkpoints import WEIGHTS
from core.files import fingerprint


def global_view_file(folder: Path, split: str) -> Path:
    """Where the view of a split is kept."""
    return folder / f"global_view_{split}.json"


def stored_global_view(folder: Path, split: str) -> dict[str, Any] | None:
    """The view kept for a split.

    Returns:
        None where none was made, it cannot be read, or it was made with other weights than those
        that lie beside it.
    """
    try:
        text = global_view_file(folder, split).read_text(encoding="utf-8")
        view: dict[str, Any] = json.loads(text)
        if not isinstance(view, dict) or not isinstance(view.get("groups"), list):
            return None
        is_current = view.get("weights_fingerprint") == fingerprint(folder / WEIGHTS)
    except (OSError, ValueError):
        return None
    return view if is_current else None
