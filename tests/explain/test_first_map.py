"""The first Grad-CAM of a process does not wait for what it does not need."""

import subprocess
import sys

PROBE = """
import sys
import torch
from core.explain import explain
from core.models import build
model = build("gimefive", 6, depth=2, width=4).eval()
explain(model, torch.zeros(1, 3, 16, 16), ("a", "b", "c", "d", "e", "f"), "grad_cam")
print(*sorted({"matplotlib", "torch._dynamo"} & set(sys.modules)))
"""


def test_it_loads_neither_matplotlib_nor_the_compiler() -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=300
    )

    assert process.stdout.split() == []
