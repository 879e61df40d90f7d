"""Imports point one way, through front doors, and dangerous calls are absent."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import pytest
from source_files import (
    Imported,
    SourceFile,
    files_of,
    is_module,
    modules_reached,
    packages_of_core,
)

# data, faces and models stand side by side; only data preparation may look for faces.
STRANGERS = {
    "core.data": {"core.models"},
    "core.faces": {"core.data", "core.models"},
    "core.models": {"core.data", "core.faces"},
}
# The command line is an entry, not a part that others use.
DOORS = ["core", *(f"core/{name}" for name in packages_of_core() if name != "cli")]
# Measures the speed of single parts, and so looks inside packages.
INSPECTORS = {"core.bench"}
UNPICKLERS = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def offences(folders: tuple[str, ...], forbidden: tuple[str, ...]) -> list[tuple[str, int, str]]:
    """Imports in these folders that reach one of the forbidden packages."""
    return [
        (file.shown, imported.line, module)
        for file in files_of(*folders)
        for imported in file.imports()
        for module in modules_reached(imported)
        if within(module, *forbidden)
    ]


def calls(file: SourceFile) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted text of what is called."""
    for node in ast.walk(file.tree()):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_the_reader_of_imports_sees_every_form() -> None:
    here = SourceFile(path=files_of("tests/architecture")[0].path)

    assert here.module == "tests.architecture.source_files"
    assert Imported("functools", "cache", 6) in here.imports()
    assert list(modules_reached(Imported("core", "errors", 1))) == ["core", "core.errors"]
    assert list(modules_reached(Imported("core", "CoreError", 1))) == ["core"]


def test_core_knows_neither_the_app_nor_streamlit() -> None:
    assert files_of("core")
    assert offences(("core",), ("streamlit", "streamlit_webrtc", "webapp", "pages")) == []


def test_the_app_needs_no_package_of_the_tests() -> None:
    """Whoever only uses the app installs requirements.txt alone."""
    packages = ("captum", "torchcam", "playwright", "pytest")

    assert offences(("core", "webapp", "pages"), packages) == []


def test_the_app_does_not_import_its_pages() -> None:
    assert offences(("webapp",), ("pages",)) == []
    assert offences(("pages",), ("pages",)) == []


@pytest.mark.parametrize("package", sorted(STRANGERS))
def test_data_faces_and_models_stand_side_by_side(package: str) -> None:
    folder = package.replace(".", "/")

    assert offences((folder,), tuple(STRANGERS[package])) == []


def test_parts_of_core_do_not_depend_on_each_other_in_a_circle() -> None:
    needs: dict[str, set[str]] = {}
    for file in files_of("core"):
        reached = {m for imported in file.imports() for m in modules_reached(imported)}
        parts = {".".join(module.split(".")[:2]) for module in reached if within(module, "core")}
        needs.setdefault(file.package, set()).update(parts - {file.package, "core"})

    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail("A circle of imports: " + " -> ".join(error.args[1]))

    assert order.index("core.errors") < order.index("core.preprocess")


def test_only_front_doors_are_used_from_outside() -> None:
    """Outside its package, `core.faces` is imported, never `core.faces.haar`."""
    inner = [
        (file.shown, imported.line, module)
        for file in files_of("core", "webapp", "pages")
        if file.package not in INSPECTORS
        for imported in file.imports()
        for module in modules_reached(imported)
        if within(module, "core") and module.count(".") >= 2
        if not within(module, file.package) and not offers(imported)
    ]

    assert inner == []


def offers(imported: Imported) -> bool:
    """Whether a front door offers this name, perhaps one of a function and of a file as well."""
    folder = imported.module.replace(".", "/")
    return folder in DOORS and imported.name in listed(folder)


def test_front_doors_offer_what_is_taken_through_them() -> None:
    offered = {folder.replace("/", "."): set(listed(folder)) for folder in DOORS}

    missing = [
        (file.shown, imported.line, f"{imported.module}.{imported.name}")
        for file in files_of("core", "webapp", "pages")
        for imported in file.imports()
        if imported.module in offered
        and imported.name is not None
        and imported.name not in offered[imported.module]
        and not is_module(f"{imported.module}.{imported.name}")
    ]

    assert missing == []


def listed(folder: str) -> list[str]:
    """`__all__` of a package, in its order; written out, so that readers and tools see it."""
    for node in files_of(folder)[0].tree().body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    raise AssertionError(f"{folder}/__init__.py has no __all__")


def bound(folder: str) -> set[str]:
    """Public names that a package's `__init__.py` takes from its own files or defines itself."""
    tree, package = files_of(folder)[0].tree(), folder.replace("/", ".")
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and within(node.module or "", package):
            names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("folder", DOORS)
def test_all_is_sorted_constants_classes_functions(folder: str) -> None:
    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    names = listed(folder)

    assert names == sorted(set(names), key=kind)


@pytest.mark.parametrize("folder", DOORS)
def test_all_is_complete(folder: str) -> None:
    own = {name for name in bound(folder) if not is_module(f"{folder.replace('/', '.')}.{name}")}

    assert sorted(own - set(listed(folder))) == []


@pytest.mark.parametrize("folder", DOORS)
def test_all_names_exist(folder: str) -> None:
    module = __import__(folder.replace("/", "."), fromlist=["*"])

    assert [name for name in listed(folder) if not hasattr(module, name)] == []


@pytest.mark.parametrize("folder", DOORS)
def test_no_module_hides_a_name_that_its_door_loads_lazily(folder: str) -> None:
    """Once `core.evaluation.table2` is loaded, `core.evaluation` gives the module by that name."""
    modules = {
        file.module.removeprefix(f"{folder.replace('/', '.')}.") for file in files_of(folder)
    }

    assert modules & lazy(folder) == set()


def lazy(folder: str) -> set[str]:
    """Names that a package's `__init__.py` hands to `lazy_names`."""
    return {
        name
        for call_name, call in calls(files_of(folder)[0])
        if call_name == "lazy_names"
        for names in ast.literal_eval(call.args[1]).values()
        for name in names
    }


def test_only_paths_reads_the_environment() -> None:
    readers = {
        file.shown
        for file in files_of("core", "webapp", "pages")
        for node in ast.walk(file.tree())
        if isinstance(node, ast.Name | ast.Attribute)
        and ast.unparse(node) in {"os.environ", "os.getenv", "environ", "getenv"}
    }

    assert readers <= {"core/paths.py"}


def test_nothing_unpickles_code() -> None:
    assert offences(("core", "webapp", "pages"), tuple(UNPICKLERS)) == []

    unsafe = [
        f"{file.shown}:{call.lineno} {name}"
        for file in files_of("core", "webapp", "pages")
        for name, call in calls(file)
        if unpickles(name, {ast.unparse(keyword) for keyword in call.keywords})
    ]

    assert unsafe == []


def unpickles(name: str, keywords: set[str]) -> bool:
    """Whether a call with these keyword arguments may run code out of a file."""
    if name == "torch.load":
        return "weights_only=True" not in keywords
    return name.endswith("read_pickle") or "allow_pickle=True" in keywords


def test_no_shell_and_no_evaluated_text() -> None:
    bad = [
        f"{file.shown}:{call.lineno} {name}"
        for file in files_of("core", "webapp", "pages")
        for name, call in calls(file)
        if name in {"eval", "exec", "os.system", "os.popen"}
        or "shell=True" in map(ast.unparse, call.keywords)
    ]

    assert bad == []


def test_films_are_opened_as_nothing_else() -> None:
    """FFmpeg follows playlists, and opens addresses, where its options do not forbid it."""
    bad = [
        f"{file.shown}:{call.lineno}"
        for file in files_of("core", "webapp", "pages")
        for name, call in calls(file)
        if name == "av.open" and "'w'" not in map(ast.unparse, call.args)
        if "options=VIDEO_OPTIONS" not in map(ast.unparse, call.keywords)
    ]

    assert bad == []


def test_charts_know_nothing_of_streamlit() -> None:
    """They turn data into figures and can be tested, and reused, without a page."""
    assert files_of("webapp/charts")
    assert offences(("webapp/charts",), ("streamlit",)) == []
