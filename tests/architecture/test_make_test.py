"""`make test` runs both halves of the tests, and a fault in either is a fault of the whole."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from source_files import ROOT

# Stands for python: notes how it was called, and ends as pytest would, by the half asked for.
FAKE = """#!/bin/sh
echo "$*" >> calls
case "$*" in
*"-m not browser"*) exit {first} ;;
*"-m browser"*) exit {second} ;;
*) exit 1 ;;
esac
"""
CORES, BROWSER = "-n logical --maxprocesses 4 --dist worksteal -m not browser", "-m browser"
NONE_LEFT = 5  # of pytest: no test was selected


def make_test(
    folder: Path, first: int, second: int, chromium: str = "/here", arguments: str = ""
) -> tuple[bool, list[str]]:
    """Whether `make test` succeeds in an installed copy, and the calls of python it made."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "requirements-nodeps.txt",
                 "requirements-dev.txt"):  # fmt: skip
        shutil.copy(ROOT / name, folder)
    (tools / "python").write_text(FAKE.format(first=first, second=second))
    (tools / "python").chmod(0o755)
    (tools / "pip").touch()
    for moment, name in enumerate((".app-installed", ".dev-installed")):
        (folder / ".venv" / name).touch()
        os.utime(folder / ".venv" / name, (2**32 + moment, 2**32 + moment))  # newer than all
    free = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    ended = subprocess.run(
        ["make", "test", f"CHROMIUM={chromium}", f"ARGS={arguments}"],
        cwd=folder, env=free, capture_output=True, check=False,
    )  # fmt: skip
    return ended.returncode == 0, (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("first", "second", "good"),
    [
        (0, 0, True), (0, 1, False), (1, 0, False), (0, NONE_LEFT, True), (NONE_LEFT, 0, True),
        (NONE_LEFT, 1, False), (NONE_LEFT, NONE_LEFT, False),
    ],
)  # fmt: skip
def test_a_fault_in_either_half_counts(tmp_path: Path, first: int, second: int, good: bool) -> None:
    assert make_test(tmp_path, first, second)[0] == good


def test_browser_tests_come_after_the_others_two_files_at_a_time(tmp_path: Path) -> None:
    _, (first, second) = make_test(tmp_path, 0, 0)

    assert CORES in first
    assert BROWSER in second
    assert second.endswith("tests/browser")
    assert "-n 2 --dist loadfile" in second


def test_without_chromium_browser_tests_are_left_out(tmp_path: Path) -> None:
    good, calls = make_test(tmp_path, 0, 1, chromium="")

    assert good
    assert len(calls) == 1
    assert CORES in calls[0]


def test_arguments_reach_both_halves(tmp_path: Path) -> None:
    _, calls = make_test(tmp_path, 0, 0, arguments="tests/faces -x")

    assert [call.endswith(" tests/faces -x") for call in calls] == [True, True]
