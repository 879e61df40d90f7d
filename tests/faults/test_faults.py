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
# Two runs of the harness, on two cores; each verb's base is run whole in both.
BEGINNING = ("prepare", "train", "tune", "queue")
BUILT_ON = (
    "evaluate", "faithfulness", "quantise", "import", "export", "classify", "explain", "video",
)  # fmt: skip
POINTS = 1  # of each verb and kind of fault; the whole takes two minutes of one core

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


@pytest.mark.slow
@pytest.mark.parametrize("names", [BEGINNING, BUILT_ON], ids=["beginning", "built-on"])
def test_a_verb_that_is_broken_leaves_nothing_half_and_is_made_good(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "tallies.json"
    chosen = [word for name in names for word in ("--verb", name)]

    done = in_python(
        str(HERE / "harness.py"), *chosen, "--points", str(POINTS), "--json", str(path)
    )

    assert path.exists(), done.stderr[-2000:]
    tallies: list[dict[str, Any]] = json.loads(path.read_text())
    assert {(one["verb"], one["kind"]) for one in tallies} == {
        (name, kind) for name in names for kind in ("kill", "full", "read-only")
    }
    assert all(one["tried"] >= 1 for one in tallies)
    assert [(one["verb"], one["kind"], one["faults"]) for one in tallies if one["faults"]] == []


@pytest.mark.slow
def test_every_verb_is_broken() -> None:
    listed = in_python("-c", "from verbs import VERBS; print(*VERBS)").stdout.split()

    assert set(listed) == {*BEGINNING, *BUILT_ON}


def test_the_harness_finds_half_a_file_and_a_state_that_is_not_true() -> None:
    done = in_python("-c", CARELESS)

    assert done.stderr == ""
    counts, faults, refused = done.stdout.splitlines()
    assert counts == "3 3 0"  # a folder, and two openings
    assert faults == "['half a file runs/a.jso', 'it is called running']"
    assert refused == "True"
