"""The command line in the process of a test."""

import sys

import pytest

from core.cli import main


def exit_code(*words: object, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit code of `python -m core` with these words."""
    monkeypatch.setattr(sys, "argv", ["core", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)
