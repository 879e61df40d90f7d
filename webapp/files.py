"""When a file last changed: the stamp under which caches keep what they read from it."""

from pathlib import Path


def changed(path: Path) -> float:
    """Time of the last change, seconds since the epoch; 0 where there is no file."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
