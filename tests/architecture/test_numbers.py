"""README's numbers are those of the shipped checkpoints, to the last digit shown."""

import re
from pathlib import Path
from typing import Any

from source_files import ROOT

from core.checkpoints import SHIPPED_CHECKPOINTS
from core.evaluation import SPLITS, load_report

SHOWN = ("test", "test_clean", "valid")  # the rest says nothing about unseen pictures
HEAD = """\
| checkpoint | measured on | pictures | accuracy, % (95 % interval) | macro-F1, % (95 % interval) |
|---|---|---|---|---|"""


def shipped() -> list[Path]:
    """Folders of the checkpoints that come with weights and hold a report."""
    folders = [ROOT / "checkpoints" / name for name in SHIPPED_CHECKPOINTS]
    return [folder for folder in folders if (folder / "report.json").is_file()]


def with_interval(figures: dict[str, Any], name: str) -> str:
    low, high = figures["intervals"][name]
    return f"{100 * figures[name]:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def table(folders: list[Path]) -> str:
    """README's section on numbers, computed from the reports in these folders."""
    rows = [
        f"| `{folder.name}` | {SPLITS[split]} | {figures['n']:,} | "
        f"{with_interval(figures, 'accuracy')} | {with_interval(figures, 'macro_f1')} |"
        for folder in folders
        for split, figures in load_report(folder)["splits"].items()
        if split in SHOWN
    ]
    return "\n".join([HEAD, *rows]) if rows else "No checkpoint is shipped yet."


def test_the_numbers_in_readme_are_those_of_the_reports() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    marked = re.search(r"<!-- numbers: begin -->\n(.*?)\n<!-- numbers: end -->", readme, re.DOTALL)
    wanted = table(shipped())

    assert marked is not None
    assert marked[1] == wanted, f"Put this between the marks in README.md:\n{wanted}"


def test_git_keeps_the_weights_of_the_shipped_checkpoints_alone() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8")
    kept = re.findall(r"^!checkpoints/(.+)/weights.safetensors$", ignored, flags=re.MULTILINE)

    assert sorted(kept) == sorted(SHIPPED_CHECKPOINTS)


def test_every_shipped_checkpoint_was_measured_on_its_test_pictures() -> None:
    measured = {folder.name: set(load_report(folder)["splits"]) for folder in shipped()}

    assert [name for name, splits in measured.items() if "test" not in splits] == []


def test_the_table_shows_one_decimal_and_thousands(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "report.json").write_text(
        """{"format": 1, "splits": {
            "test": {"n": 2388, "accuracy": 0.85427, "macro_f1": 0.7,
                     "intervals": {"accuracy": [0.84, 0.8685], "macro_f1": [0.68, 0.7249]}},
            "train": {"n": 9, "accuracy": 1.0, "macro_f1": 1.0,
                      "intervals": {"accuracy": [1, 1], "macro_f1": [1, 1]}}}}"""
    )

    rows = table([folder]).splitlines()[2:]

    assert rows == [
        "| `small` | published test | 2,388 | 85.4 (84.0 to 86.9) | 70.0 (68.0 to 72.5) |"
    ]
