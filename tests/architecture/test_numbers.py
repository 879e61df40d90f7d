"""README's numbers are those of the reports, and the reports those of the predictions."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from source_files import ROOT

from core.checkpoints import DEFAULT_CHECKPOINT, SHIPPED_CHECKPOINTS, SHIPPED_TITLES
from core.evaluation import (
    SIX,
    SPLITS,
    Predictions,
    classification_metrics,
    load_report,
    metrics,
    stored_strata,
    table2,
    with_intervals,
)
from core.evaluation.report import build_report

SHOWN = ("test", "test_clean", "valid")  # the rest says nothing about unseen pictures
HEAD = """\
| checkpoint | measured on | pictures | accuracy, % (95 % interval) | macro-F1, % (95 % interval) |
|---|---|---|---|---|"""


def tracked(pattern: str) -> list[Path]:
    """Files in git's list that match; they are there."""
    command = ["git", "ls-files", "-z", "--", pattern]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name]


def shipped() -> list[Path]:
    """Folders of the checkpoints that come with weights and hold a report."""
    folders = [ROOT / "checkpoints" / name for name in SHIPPED_CHECKPOINTS]
    return [folder for folder in folders if (folder / "report.json").is_file()]


def with_interval(figures: dict[str, Any], name: str) -> str:
    low, high = figures["intervals"][name]
    return f"{100 * figures[name]:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def parts(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All of a report, and of a network that knows neutral what it says of the paper's six."""
    if SIX not in report:
        return {"": report}
    return {", seven expressions": report, ", the paper's six": report[SIX]}


def table(folders: list[Path]) -> str:
    """README's section on numbers, computed from the reports in these folders."""
    rows = [
        f"| `{folder.name}`{words} | {SPLITS[split]} | {figures['n']:,} | "
        f"{with_interval(figures, 'accuracy')} | {with_interval(figures, 'macro_f1')} |"
        for folder in folders
        for words, part in parts(load_report(folder)).items()
        for split, figures in part["splits"].items()
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
    kept = tracked("checkpoints/*/weights.safetensors")

    assert sorted(path.parent.name for path in kept) == sorted(SHIPPED_CHECKPOINTS)


def test_git_keeps_the_facts_of_all_kept_predictions_and_no_others() -> None:
    named = set()
    for path in tracked("checkpoints/*/predictions.npz"):
        with np.load(path, allow_pickle=False) as file:
            named.add(f"{file['facts']}.csv")

    assert {path.name for path in tracked("checkpoints/facts/*")} == named
    assert tracked("checkpoints/*/predictions.csv") == []


def test_kept_strata_are_of_the_kept_predictions() -> None:
    kept = tracked("checkpoints/*/strata.json")

    assert DEFAULT_CHECKPOINT in {path.parent.name for path in kept}
    for path in kept:
        assert stored_strata(path.parent), path.parent.name


def test_git_takes_no_run_by_itself() -> None:
    """What the app comes with is added with `git add -f`."""
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()

    assert [line for line in ignored if "checkpoints" in line] == ["/checkpoints/*"]


def leaves(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    """Every number and text of a report with the keys that lead to it."""
    if isinstance(value, dict | list | tuple):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, *path, str(key))
    else:
        yield path, value


def depends_on_processor(path: tuple[str, ...]) -> bool:
    """Whether a figure is a sum of logarithms or products, whose last digit the order decides."""
    return "nll" in path or ("ece" in path and "intervals" in path)


def is_same(path: tuple[str, ...], one: Any, other: Any) -> bool:  # noqa: ANN401
    if depends_on_processor(path) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12)
    return bool(one == other)


def other_figures(again: dict[str, Any], stored: dict[str, Any]) -> list[tuple[str, ...]]:
    """Where figures that were computed again are not the stored ones."""
    found, wanted = dict(leaves(again)), dict(leaves(stored))
    return [path for path in found if not is_same(path, found[path], wanted.get(path))]


@pytest.mark.slow
def test_every_kept_report_has_the_figures_of_its_predictions_to_the_last_digit() -> None:
    kept = [path.parent for path in tracked("checkpoints/*/predictions.npz")]
    assert len(kept) >= len(SHIPPED_CHECKPOINTS)

    for folder in kept:
        found = Predictions.load(folder)
        for split, stored in load_report(folder)["splits"].items():
            again = metrics(found.of_split(split, stored["sources"]))
            assert other_figures(again, stored) == [], (folder.name, split)


@pytest.mark.slow
def test_the_shipped_reports_are_those_of_their_predictions_to_the_last_digit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Drawing the images 2,000 times takes nearly all of the time; the next test does it once.
    nothing = {"nll": np.zeros(1), "ece": np.zeros(1)}
    monkeypatch.setattr(classification_metrics, "_from_rows", lambda *_: nothing)
    for folder in shipped():
        stored = load_report(folder)
        facts = {key: stored[key] for key in stored if key not in {"format", "labels", "splits"}}

        again = build_report(Predictions.load(folder), facts)

        paths = {path for path, _ in leaves(stored)}
        drawn = {path for path in paths if "intervals" in path and depends_on_processor(path)}
        assert set(other_figures(again, stored)) == drawn, folder.name
        assert paths == {path for path, _ in leaves(again)}


@pytest.mark.slow
def test_the_default_report_has_the_intervals_of_its_predictions() -> None:
    folder = ROOT / "checkpoints" / DEFAULT_CHECKPOINT
    stored = load_report(folder)["splits"]["test"]
    found = Predictions.load(folder).of_split("test", stored["sources"])

    assert other_figures(with_intervals(found), stored) == []


def test_every_shipped_checkpoint_was_measured_on_its_test_pictures() -> None:
    measured = {folder.name: set(load_report(folder)["splits"]) for folder in shipped()}

    assert [name for name, splits in measured.items() if "test" not in splits] == []


@pytest.mark.slow
def test_kept_figures_count_wherever_own_runs_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path / "nothing yet"))

    measured = [row["measured"]["run"] for row in table2() if row["measured"]]

    assert len(measured) > len(SHIPPED_CHECKPOINTS)
    assert set(measured) <= set(SHIPPED_TITLES)


def test_the_table_shows_one_decimal_and_thousands(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    one = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    same = {
        "per_class": {"happiness": one, "fear": one}, "confusion": [[1, 0], [0, 1]],
        "balanced_accuracy": 1.0, "ece": 0.1,
    }  # fmt: skip
    splits = {
        "test": {
            "n": 2388, "accuracy": 0.85427, "macro_f1": 0.7, **same,
            "intervals": {"accuracy": [0.84, 0.8685], "macro_f1": [0.68, 0.7249]},
        },
        "train": {
            "n": 9, "accuracy": 1.0, "macro_f1": 1.0, **same,
            "intervals": {"accuracy": [1, 1], "macro_f1": [1, 1]},
        },
    }  # fmt: skip
    facts = {"format": 1, "sources": [], "labels": ["happiness", "fear"]}
    (folder / "report.json").write_text(json.dumps({**facts, "splits": splits}))

    rows = table([folder]).splitlines()[2:]

    assert rows == [
        "| `small` | published test | 2,388 | 85.4 (84.0 to 86.9) | 70.0 (68.0 to 72.5) |"
    ]
