"""What the documents say is so: links, commands, names and numbers."""

import re
from pathlib import Path

import pytest
from source_files import ROOT, files_of, is_module, modules_reached, packages_of_core

from core.data import SOURCES
from webapp.navigation import present

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def text_of(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def ident(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=ident)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ident)
def test_files_and_folders_that_are_named_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|webapp|pages|tests|docs)/[\w./-]*)`", text)

    banned = {"webapp/pages"}  # named to say that it must not exist
    assert [name for name in named if not (ROOT / name).exists() and name not in banned] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ident)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    code = re.findall(r"`[^`]+`|```.*?```", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = {match for span in code for match in re.findall(r"\bmake ([a-z][a-z-]*)", span)}
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), flags=re.MULTILINE))

    assert named <= targets


def test_commands_that_are_named_exist() -> None:
    import typer

    from core.cli import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    verb = r"python -m core ([a-z0-9-]+)"
    named = {
        found
        for document in DOCUMENTS
        for found in re.findall(verb, document.read_text(encoding="utf-8"))
    }

    assert named <= known
    assert known <= set(re.findall(verb, text_of("README.md")))


def test_readme_keeps_its_order() -> None:
    headings = re.findall(r"^## (.+)$", text_of("README.md"), flags=re.MULTILINE)

    assert headings == [
        "Two commands",
        "What you should see",
        "Numbers",
        "Pages",
        "Command line",
        "Licences and limits",
    ]


def test_readme_names_the_pages_of_the_menu() -> None:
    section = text_of("README.md").split("## Pages")[1].split("\n## ")[0].strip()
    rows = [f"| {entry.title} | {entry.purpose} |" for entry in present()]
    wanted = "\n".join(["| page | what it is for |", "|---|---|", *rows])

    assert section == wanted, f"README's section on pages should be:\n{wanted}"


def test_architecture_names_every_part_of_core() -> None:
    tree = text_of("docs/architecture.md").split("```")[1]
    named = set(re.findall(r"^  ([a-z_]+)(?:/|\.py) ", tree, flags=re.MULTILINE))
    files = {path.stem for path in (ROOT / "core").glob("*.py")} - {"__init__", "__main__"}

    assert all(is_module(f"core.{name}") for name in named)
    assert named == files | set(packages_of_core())


def test_the_layers_of_core_are_those_of_the_architecture() -> None:
    """Whatever stands on one line imports from the lines below it alone; the last line is free."""
    lines = text_of("docs/architecture.md").split("```")[3].strip().splitlines()[1:]
    rank = {name: number for number, line in enumerate(lines) for name in line.split()}
    files = {path.stem for path in (ROOT / "core").glob("*.py")} - {"__init__", "__main__"}

    upwards = sorted(
        f"{file.module} imports {module}"
        for file in files_of("core")
        if file.module not in {"core", "core.__main__"}
        for imported in file.imports()
        for module in modules_reached(imported)
        if module.startswith("core.") and module.split(".")[1] != file.package.split(".")[1]
        if rank[module.split(".")[1]] <= rank[file.package.split(".")[1]] < len(lines) - 1
    )

    assert set(rank) == files | set(packages_of_core())
    assert upwards == []


def test_the_program_in_the_readme_gives_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image
    from skimage.data import astronaut

    (program,) = re.findall(r"```python\n(.*?)```", text_of("README.md"), flags=re.DOTALL)
    Image.fromarray(astronaut()).save(  # type: ignore[no-untyped-call]
        tmp_path / "photo.jpg"
    )
    monkeypatch.chdir(tmp_path)

    exec(program, {})

    assert "Predictor" in program
    assert capsys.readouterr().out.startswith("photo.jpg ok happiness 0.")


def test_every_status_of_a_row_is_in_the_readme() -> None:
    from typing import get_args

    from core.scoring import Status

    (line,) = re.findall(r"^A row's `status`.*$", text_of("README.md"), flags=re.MULTILINE)
    assert [status for status in get_args(Status) if f"`{status}`" not in line] == []


def test_variables_that_are_named_are_read() -> None:
    named = set(re.findall(r"GIMEFIVE_[A-Z_]+", text_of("README.md")))
    read = set(re.findall(r"GIMEFIVE_[A-Z_]+", text_of("core/paths.py")))

    assert named == read


def test_the_terms_of_each_data_set_are_stated() -> None:
    """Sources without an address are forms of folders, and their pictures the user's own."""
    rows = [
        f"| [{source.title}]({source.url}) | {source.licence} | {source.obtain} |"
        for source in SOURCES.values()
        if source.url
    ]
    wanted = "\n".join(["| set | terms | how to get it |", "|---|---|---|", *rows])
    text = text_of("docs/licences.md")
    marked = text.split("<!-- sets: begin -->\n")[1].split("\n<!-- sets: end -->")[0]

    assert marked == wanted, f"Put this between the marks in docs/licences.md:\n{wanted}"


@pytest.mark.parametrize("page", DECISIONS, ids=ident)
def test_a_decision_has_one_page_and_four_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.match(r"# \d+\. ", text)
    assert int(page.name[:3]) == int(text[2:].split(".")[0])
    assert re.findall(r"^\*\*(.+?)\*\*", text, flags=re.MULTILINE) == [
        "Context.",
        "Decision.",
        "Consequences.",
        "What would change our mind.",
    ]
    assert len(text.split()) <= 450


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(page.name[:3]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_contributing_stays_readable() -> None:
    assert len(text_of("CONTRIBUTING.md").splitlines()) <= 120


def test_the_changelog_has_its_form() -> None:
    headings = re.findall(r"^##+ (.+)$", text_of("CHANGELOG.md"), flags=re.MULTILINE)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}

    assert headings[0] == "[Unreleased]"
    assert all(
        head in kinds or re.match(r"\[(Unreleased|\d+\.\d+\.\d+)\]", head) for head in headings
    )
