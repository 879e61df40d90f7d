"""Packages whose names are loaded late."""

import subprocess
import sys

import pytest

from core.lazy import lazy_names


def test_a_name_is_looked_up_in_its_module() -> None:
    load = lazy_names("xml", {"sax.saxutils": ("escape",), "dom": ("Node",)})

    assert load("escape")("<") == "&lt;"
    assert load("Node").ELEMENT_NODE == 1


def test_a_name_that_is_not_offered_is_an_attribute_error() -> None:
    load = lazy_names("xml", {"dom": ("Node",)})

    with pytest.raises(AttributeError, match="module 'xml' has no attribute 'dom2'"):
        load("dom2")


@pytest.mark.parametrize("package", ["core.data", "core.evaluation", "core.explain"])
def test_nothing_slow_is_loaded_before_a_name_is_asked_for(package: str) -> None:
    slow = "{'torch', 'sklearn', 'pandas', 'cv2', 'onnxruntime'}"
    code = f"import sys, {package}; print({slow} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "set()"
