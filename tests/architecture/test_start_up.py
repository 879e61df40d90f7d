"""What must be there at once loads nothing heavy: a command's --help, and a page's first view."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import json, sys, time
import numpy                      # every part needs it; its cost is not ours
before = set(sys.modules)
start = time.process_time()
import {module}
seconds = time.process_time() - start
print(json.dumps({{"seconds": seconds, "loaded": sorted(set(sys.modules) - before)}}))
"""
PAGE = """
import json, sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({file!r}, default_timeout=120).run()
assert not page.exception and not page.error, page
assert len(page.dataframe) == 5  # one for each of three data sets, and of two
assert not page.get("plotly_chart")  # compiling plotly takes a browser longer than all the rest
# A shipped run measures its row, which takes reading its predictions.
assert any(" rows are measured here" in one.value for one in page.caption)
assert not any(one.value.startswith("0 of ") for one in page.caption)
loaded = {{name.split(".")[0] for name in sys.modules}}
print(json.dumps(sorted(loaded)))
"""
HEAVY = {"torch", "torchvision", "streamlit", "onnxruntime", "sklearn", "scipy", "dlib"}


def probe(module: str) -> tuple[float, set[str]]:
    """CPU seconds an import takes in a fresh process, and the heavy packages it loads."""
    process = subprocess.run(
        [sys.executable, "-c", PROBE.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    answer = json.loads(process.stdout)
    return answer["seconds"], {name.split(".")[0] for name in answer["loaded"]} & HEAVY


@pytest.mark.parametrize(
    "module", ["core", "core.batch_inference", "core.cli", "core.data", "core.faces", "webapp"]
)
def test_importing_loads_nothing_heavy(module: str) -> None:
    _, heavy = probe(module)

    assert heavy == set()


def test_importing_core_is_quick() -> None:
    seconds, _ = probe("core")

    assert seconds < 0.5


def test_the_first_view_of_the_results_needs_nothing_heavy() -> None:
    page = Path(__file__).parents[2] / "pages" / "results.py"
    process = subprocess.run(
        [sys.executable, "-c", PAGE.format(file=str(page))],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr

    assert set(json.loads(process.stdout)) & (HEAVY | {"pandas"}) == {"streamlit"}
