"""Files stay small enough to be read at a sitting, and names are where one looks for them."""

import subprocess

import pytest
from source_files import ROOT, SourceFile, files_of

PAGE_LINES = 120
FILE_LINES = 350
BANNED = {"utils", "helpers", "common", "misc"}


def longer_than(limit: int, files: list[SourceFile]) -> dict[str, int]:
    lengths = {
        file.shown: len(file.path.read_text(encoding="utf-8").splitlines()) for file in files
    }
    return {name: length for name, length in lengths.items() if length > limit}


def test_pages_only_read_widgets_call_core_and_draw() -> None:
    assert longer_than(PAGE_LINES, files_of("pages")) == {}


@pytest.mark.parametrize("folder", ["core", "webapp", "tests"])
def test_files_are_short(folder: str) -> None:
    assert longer_than(FILE_LINES, files_of(folder)) == {}


def test_the_entry_file_is_very_short() -> None:
    entry = [file for file in files_of("webapp") if file.path.name == "Home.py"]

    assert len(entry) == 1
    assert longer_than(30, entry) == {}


def test_no_file_is_named_after_nothing() -> None:
    named = [file.shown for file in files_of("core", "webapp", "pages", "tests")]

    assert [name for name in named if name.rsplit("/")[-1].removesuffix(".py") in BANNED] == []


def test_browser_tests_are_where_make_looks_for_them() -> None:
    marked = [
        file.shown
        for file in files_of("tests")
        if "pytest.mark." + "browser" in file.path.read_text(encoding="utf-8")
    ]

    assert marked
    assert [name for name in marked if not name.startswith("tests/browser/")] == []


def test_no_pages_folder_beside_the_entry_file() -> None:
    """Streamlit would take webapp/pages for pages of the old kind and mix them with ours."""
    assert not (ROOT / "webapp" / "pages").exists()


def test_only_the_agreed_names_lie_at_the_top() -> None:
    fixed = {"webapp", "core", "pages", "checkpoints", "tests", "requirements.txt", "README.md"}
    tools = {
        "pyproject.toml",
        "Makefile",
        "requirements-dev.txt",
        "requirements-nodeps.txt",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "docs",
    }
    found = {name for name in names_at_the_top() if not name.startswith(".")}

    assert fixed | tools <= found
    assert found <= fixed | tools


def names_at_the_top() -> set[str]:
    """First parts of all files in the repository, whatever else a user keeps beside them."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.split("/")[0] for line in listing.stdout.splitlines()}


def test_test_modules_have_names_of_their_own() -> None:
    """They are no packages, so that two of one name hide each other."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]

    assert sorted({name for name in names if names.count(name) > 1}) == []
