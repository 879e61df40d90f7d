"""Importing the front door is cheap: a command's --help must not wait for torch."""

import json
import subprocess
import sys

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
HEAVY = {"torch", "torchvision", "streamlit", "onnxruntime", "sklearn", "scipy", "dlib", "captum"}


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


@pytest.mark.parametrize("module", ["core", "core.cli", "core.data", "core.faces", "webapp"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    _, heavy = probe(module)

    assert heavy == set()


def test_importing_core_is_quick() -> None:
    seconds, _ = probe("core")

    assert seconds < 0.5
