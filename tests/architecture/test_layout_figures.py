"""The figures of the house: how many files, how long, how thin, and how long a chain of imports.

`python tests/architecture/test_layout_figures.py` prints them.  A limit is no aim: whoever meets
one asks whether two files answer one question, or one file two.  A network, a method, a data set or
a page needs a file of its own: where that is what meets the limit, raise it in the same commit.
"""

import ast
import sys
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from statistics import median

import pytest
from source_files import Imported, SourceFile, files_of

FOLDERS = ("core", "webapp", "pages")
MOST_FILES = 317
LEAST_MEDIAN = 110  # lines of a file
MOST_SINGLE = 25  # modules that define one function or class
LONGEST_CHAIN = 14  # modules

Graph = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """The figures.

    Attributes:
        lines: Of every Python file, by its path from the root.
        single: Modules, front doors left out, that define one function or class.
        chain: The longest way along imports, from a page down; every module imports the next.
    """

    lines: dict[str, int]
    single: tuple[str, ...]
    chain: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{len(self.lines)} files in {', '.join(FOLDERS)} (at most {MOST_FILES})",
                f"{median(self.lines.values()):.1f} lines in the median (at least {LEAST_MEDIAN})",
                f"{len(self.single)} modules with a single definition (at most {MOST_SINGLE}):",
                f"  {', '.join(self.single)}",
                f"{len(self.chain)} modules in the longest chain (at most {LONGEST_CHAIN}):",
                f"  {' > '.join(self.chain)}",
            ]
        )


def is_door(file: SourceFile) -> bool:
    return file.path.name == "__init__.py"


def handed_on(door: SourceFile) -> dict[str, str]:
    """The modules behind the names that a package offers: imported at once, or by `lazy_names`."""
    homes: dict[str, str] = {}
    for line in door.tree().body:
        if isinstance(line, ast.ImportFrom) and (line.module or "").startswith(f"{door.module}."):
            homes |= {alias.asname or alias.name: str(line.module) for alias in line.names}
    for node in ast.walk(door.tree()):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy_names":
            for below, names in ast.literal_eval(node.args[1]).items():
                homes |= dict.fromkeys(names, f"{door.module}.{below}")
    return homes


@cache
def import_graph() -> Graph:
    """Every module and those it imports, also in functions and under TYPE_CHECKING.

    A name taken through a front door counts as an import of the module that defines it; a front
    door does not count as importing its own modules, which it only hands on.
    """
    files = files_of(*FOLDERS)
    modules = {file.module for file in files}
    homes = {file.module: handed_on(file) for file in files if is_door(file)}

    def defining(imported: Imported) -> str:
        module, name = imported.module, imported.name or ""
        inner = f"{module}.{name}"
        return homes.get(module, {}).get(name) or (inner if inner in modules else module)

    return {
        file.module: {
            module
            for module in map(defining, file.imports())
            if module in modules and module != file.module
            if not (is_door(file) and module.startswith(f"{file.module}."))
        }
        for file in files
    }


def longest_chain(graph: Graph) -> tuple[str, ...]:
    """The longest way through a graph.

    Raises:
        CycleError: It goes in a circle, which `args[1]` holds.
    """
    best: dict[str, tuple[str, ...]] = {}
    for module in TopologicalSorter(graph).static_order():
        below = [best[imported] for imported in sorted(graph.get(module, ()))]
        best[module] = (module, *max(below, key=len, default=()))
    return max(best.values(), key=len)


def definitions(file: SourceFile) -> int:
    """How many functions and classes stand at the top level of a file."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return sum(isinstance(node, kinds) for node in file.tree().body)


def measured() -> Layout:
    """The figures of the house as it stands."""
    files = files_of(*FOLDERS)
    return Layout(
        {file.shown: len(file.path.read_text(encoding="utf-8").splitlines()) for file in files},
        tuple(file.module for file in files if not is_door(file) and definitions(file) == 1),
        longest_chain(import_graph()),
    )


def test_the_longest_chain_of_a_small_graph_is_found() -> None:
    graph = {"page": {"view", "errors"}, "view": {"work", "errors"}, "work": {"errors"}}

    assert longest_chain(graph) == ("page", "view", "work", "errors")
    with pytest.raises(CycleError):
        longest_chain(graph | {"errors": {"view"}})


def test_imports_lead_through_front_doors_and_functions() -> None:
    graph = import_graph()

    assert "core.explain.recommended" in graph["core.predict"]  # `from core.explain import ...`
    assert "core.inference.engine" in graph["core.predict"]  # inside a function
    assert "core.models.card" in graph["core.predict"]  # under TYPE_CHECKING
    assert "core.explain" not in graph["core.predict"]
    assert not any(module.startswith("core.video.") for module in graph["core.video"])


def test_no_module_imports_itself_by_a_detour() -> None:
    try:
        longest_chain(import_graph())
    except CycleError as error:
        pytest.fail("A circle of imports: " + " > ".join(error.args[1]))


def test_the_house_keeps_its_figures() -> None:
    layout = measured()
    lengths = layout.lines.values()

    kept = (
        len(lengths) <= MOST_FILES,
        median(lengths) >= LEAST_MEDIAN,
        len(layout.single) <= MOST_SINGLE,
        len(layout.chain) <= LONGEST_CHAIN,
    )
    assert {"core/predict.py", "webapp/Home.py", "pages/home.py"} <= set(layout.lines)
    assert all(kept), f"The house is out of its limits:\n{layout}"


if __name__ == "__main__":
    sys.stdout.write(f"{measured()}\n")
