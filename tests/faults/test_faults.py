"""Every verb that writes, broken at a few of its file operations; `make faults` takes all."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATHS = os.pathsep.join(str(path) for path in (ROOT, ROOT / "tests" / "support", HERE))
NAMES = (
    "prepare", "train", "tune", "queue", "evaluate", "quantise", "export",
    "classify", "explain", "video",
)  # fmt: skip
POINTS = 1  # of each verb and kind of fault; the whole takes a minute

CARELESS = """
import sys, tempfile
from pathlib import Path
from harness import Bench, Verb

def run(root):
    (root / "runs").mkdir(exist_ok=True)
    for text in ('{"half": ', '1}'):
        with (root / "runs" / "a.json").open("a" if text == "1}" else "w") as file:
            file.write(text)

def state(root):
    return "it is called running"

home = Path(tempfile.mkdtemp())
(home / "base-").mkdir()
bench = Bench(home, {"careless": Verb("careless", run, lambda root: 1, state)})
tally = bench.tally("careless", "kill", None)
print(tally.operations, tally.tried, tally.survived)
print(sorted({fault.partition(": ")[2][:22] for fault in tally.faults}))
print(len(bench.tally("careless", "read-only", 2).faults) > 0)
"""


def in_python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with the harness in reach; it forks, which a process with threads should not."""
    environment = {**os.environ, "PYTHONPATH": PATHS, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False,
        cwd=ROOT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What came of every verb, by its name."""
    path = tmp_path_factory.mktemp("faults") / "tallies.json"
    done = in_python(str(HERE / "harness.py"), "--points", str(POINTS), "--json", str(path))
    assert path.exists(), done.stderr[-2000:]
    found: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(path.read_text()):
        found.setdefault(one["verb"], []).append(one)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_verb_that_is_broken_leaves_nothing_half_and_is_made_good(
    name: str, tallies: dict[str, list[dict[str, Any]]]
) -> None:
    kinds = tallies[name]

    assert [one["kind"] for one in kinds] == ["kill", "full", "read-only"]
    assert all(one["tried"] >= 1 for one in kinds)
    assert [one["faults"] for one in kinds] == [[], [], []]


@pytest.mark.slow
def test_every_verb_is_broken(tallies: dict[str, list[dict[str, Any]]]) -> None:
    assert set(tallies) == set(NAMES)


def test_the_harness_finds_half_a_file_and_a_state_that_is_not_true() -> None:
    done = in_python("-c", CARELESS)

    assert done.stderr == ""
    counts, faults, refused = done.stdout.splitlines()
    assert counts == "3 3 0"  # a folder, and two openings
    assert faults == "['half a file runs/a.jso', 'it is called running']"
    assert refused == "True"
