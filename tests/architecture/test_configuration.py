"""What is installed and how the app is started: no telemetry, no traceback, nothing left open."""

import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import distributions
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from source_files import ROOT
from streamlit.config import get_options_for_section

from core.cli import main


def settings() -> dict[str, dict[str, Any]]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def project() -> dict[str, Any]:
    """What pyproject.toml says of the package."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def requirements(name: str) -> list[Requirement]:
    """The requirements of a file, without `-e .` and comments."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line.split("#")[0].strip() for line in lines]
    return [Requirement(line) for line in wanted if line and not line.startswith("-")]


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("browser", "gatherUsageStats", False),
        ("server", "address", "127.0.0.1"),
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
    ],
)
def test_the_app_keeps_to_itself(section: str, key: str, value: object) -> None:
    assert settings()[section][key] == value


def test_uploads_are_limited() -> None:
    assert 1 <= settings()["server"]["maxUploadSize"] <= 200  # MB; 200 is what Streamlit allows


def test_streamlit_knows_every_setting() -> None:
    sections: dict[str, dict[str, Any]] = {}
    for section, options in settings().items():
        for key, value in options.items():
            if isinstance(value, dict):  # [theme.dark] is a section of that name
                sections[f"{section}.{key}"] = value
            else:
                sections.setdefault(section, {})[key] = value

    unknown = [
        f"{section}.{key}"
        for section, options in sections.items()
        for key in options
        if key not in get_options_for_section(section)
    ]

    assert unknown == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_bounded_and_the_installed_version_is_inside(name: str) -> None:
    installed = {
        found.metadata["Name"].lower().replace("_", "-"): found for found in distributions()
    }
    wanted = requirements(name)

    assert wanted
    for requirement in wanted:
        operators = {specifier.operator for specifier in requirement.specifier}
        assert operators in ({">=", "<"}, {"=="}), requirement
        version = Version(installed[requirement.name.lower()].version)
        assert version in requirement.specifier, requirement


def test_the_packages_of_the_owner_are_required() -> None:
    names = {requirement.name for requirement in requirements("requirements.txt")}

    assert names >= {
        "streamlit",
        "streamlit-webrtc",
        "torch",
        "torchvision",
        "opencv-python-headless",
        "dlib-bin",  # the module dlib, built
        "plotly",
        "pandas",
        "av",
    }


def test_the_project_installs_itself() -> None:
    """Else `import core` fails under `streamlit run webapp/Home.py`."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()

    assert "-e ." in lines


def test_the_package_requires_what_the_requirements_say() -> None:
    wanted = [str(requirement) for requirement in requirements("requirements.txt")]

    assert [str(Requirement(text)) for text in project()["dependencies"]] == wanted


def test_the_commands_have_a_name_of_their_own() -> None:
    module, _, function = project()["scripts"]["gimefive"].partition(":")

    assert getattr(import_module(module), function) is main


def test_dlib_is_installed_once() -> None:
    """The distributions `dlib` and `dlib-bin` write the same module over each other."""
    names = {found.metadata["Name"].lower() for found in distributions()}

    assert {name for name in names if name.startswith("dlib")} == {"dlib-bin"}


def test_opencv_still_has_the_detector_of_the_paper() -> None:
    import cv2

    assert hasattr(cv2, "CascadeClassifier")


def make(*arguments: str) -> str:
    """What make prints for these arguments, also where make itself runs this test."""
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    environment = {key: value for key, value in os.environ.items() if key not in outer}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**environment, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_make_without_a_target_lists_the_targets() -> None:
    text = make()

    assert re.findall(r"^  make ([a-z-]+)  ", text, flags=re.MULTILINE)[:3] == [
        "help",
        "app",
        "test",
    ]
    assert text == make("help")


def test_make_app_creates_installs_and_starts() -> None:
    text = make("--dry-run", "--always-make", "app", "PORT=8600", f"PYTHON={sys.executable}")

    steps = ["-m venv .venv", "-r requirements.txt", "--no-deps -r requirements-nodeps.txt"]
    positions = [text.index(step) for step in [*steps, "streamlit run webapp/Home.py"]]
    assert positions == sorted(positions)
    assert text.rstrip().endswith("--server.port 8600")


def test_make_test_installs_the_tools_and_leaves_measurements_out() -> None:
    text = make(
        "--dry-run", "--always-make", "test", "ARGS=tests/faces", "CHROMIUM=/usr/bin/chromium"
    )

    assert text.index("-r requirements.txt") < text.index("-r requirements-dev.txt")
    marks = re.findall(r'-m pytest .*?-m "(.+)" tests/faces', text)
    assert marks == ["not browser and not bench", "browser and not bench"]


def test_make_test_leaves_the_browser_out_where_there_is_none() -> None:
    text = make("--dry-run", "test", "CHROMIUM=")

    assert re.findall(r'-m "(.+)"', text) == ["not browser and not bench"]
    assert "the browser tests are left out" in text


def test_make_check_looks_at_style_types_and_quick_tests() -> None:
    text = make("--dry-run", "check", "PYTHON=python3")

    quick = text[text.index("-m pytest") :].splitlines()[0]
    assert all(step in text for step in ("ruff check", "ruff format --check", "-m mypy"))
    assert '-m "not slow and not browser and not bench" tests/architecture ' in quick
    assert all((ROOT / name).exists() for name in re.findall(r"tests/\S+", quick))


def test_every_change_meets_style_types_and_all_tests() -> None:
    script = ROOT / ".ci" / "run"
    text = script.read_text(encoding="utf-8")

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in text
    steps = [line.split(" #")[0] for line in text.splitlines() if line.startswith("make ")]
    assert steps == ["make setup-dev", "make --output-sync -j2 lint types lowest", "make test"]
    subprocess.run(["bash", "-n", str(script)], check=True)
