"""The program's own files, read as text and syntax trees, never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Imported:
    """One imported name: `from core.faces import Detector` has module core.faces, name Detector."""

    module: str
    name: str | None
    line: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file and what it is called when imported."""

    path: Path

    @property
    def shown(self) -> str:
        """Its path from the root, for messages."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """Its dotted name, for example core.faces (for `__init__.py`) or core.faces.haar."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """The part it belongs to: core.faces for all in it, core.predict for a single file."""
        return ".".join(self.module.split(".")[:2])

    def tree(self) -> ast.Module:
        return _parsed(self.path)

    def imports(self) -> list[Imported]:
        """All imports, also those inside functions and under TYPE_CHECKING."""
        found = []
        for node in ast.walk(self.tree()):
            if isinstance(node, ast.Import):
                found += [Imported(alias.name, None, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")  # ruff refuses relative ones
                found += [Imported(module, alias.name, node.lineno) for alias in node.names]
        return found


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def files_of(*folders: str) -> list[SourceFile]:
    """All Python files below these folders of the root, sorted."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [SourceFile(path) for path in paths]


def is_module(dotted: str) -> bool:
    """Whether this name is a file or package of ours."""
    base = ROOT.joinpath(*dotted.split("."))
    return base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()


def packages_of_core() -> list[str]:
    """Names of the packages directly below core that hold any module, for example "faces"."""
    doors = (ROOT / "core").glob("*/__init__.py")
    return sorted(door.parent.name for door in doors if len(list(door.parent.glob("*.py"))) > 1)


def modules_reached(imported: Imported) -> Iterator[str]:
    """What an import may load of ours: `from core import faces` reaches core and core.faces."""
    yield imported.module
    if imported.name is not None and is_module(f"{imported.module}.{imported.name}"):
        yield f"{imported.module}.{imported.name}"
