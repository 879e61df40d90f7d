"""report.json and strata.json of a run folder, in and out.  Quick to import."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from core.checkpoints import EVALUATIONS
from core.errors import CheckpointError
from core.evaluation.predictions_file import FILE, OLD_FILE
from core.files import file_hash, write_json
from core.measured_shapes import ReportFile, StrataFile
from core.paths import run_root
from core.stored import Unreadable, read_shaped, shaped_or_empty

FORMAT = 1
SIX = "six"  # part of a report: the answers between the paper's six classes alone
# What tables and cards cannot do without: of a report, and of each of its splits.
WHOLE = ("format", "sources", "splits", "labels")
WHOLE_SPLIT = ("n", "accuracy", "macro_f1", "per_class", "confusion", "intervals")
STRATA_FILE, STRATA_FORMAT = "strata.json", 1
_SAVING = Lock()  # read, changed and written by one visitor at a time


def save_report(report: dict[str, Any], path: Path) -> None:
    """Replace report.json at once."""
    write_json(path, report)


def load_report(folder: Path, *, whole: bool = False) -> dict[str, Any]:
    """The report of a run folder.

    Args:
        folder: Of the run.
        whole: Whether figures are needed, too, not only the facts about the evaluation.

    Raises:
        CheckpointError: There is none, or it cannot be read.
    """
    remedy = f"Run: python -m core evaluate {folder.name}"
    try:
        report = read_shaped(folder / "report.json", ReportFile)
        _check_whole(report, WHOLE if whole or "splits" in report else WHOLE[:2])
        if SIX in report:
            _check_whole(report[SIX], WHOLE[2:])
        found = report["format"]
    except FileNotFoundError:
        raise CheckpointError(f"{folder.name} has no report.json. {remedy}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"report.json of {folder.name} cannot be read ({error}). {remedy}"
        ) from error
    if found != FORMAT:
        raise CheckpointError(
            f"report.json of {folder.name} has format {found}, expected {FORMAT}. {remedy}"
        )
    return report


def _check_whole(report: dict[str, Any], wanted: Sequence[str]) -> None:
    """Refuse a report that lacks something, or whose splits are not about its classes.

    Raises:
        Unreadable: It does, or they are not.
    """
    parts = [("report", report, wanted)]
    parts += [
        (f"splits.{name}", one, WHOLE_SPLIT) for name, one in report.get("splits", {}).items()
    ]
    for name, part, keys in parts:
        if missing := [key for key in keys if key not in part]:
            raise Unreadable(f"{name}: it lacks {', '.join(missing)}")
    labels = report.get("labels", ())
    for name, split in report.get("splits", {}).items():
        sizes = {len(split["confusion"]), *map(len, split["confusion"])}
        if sizes != {len(labels)} or not set(split["per_class"]) <= set(labels):
            raise Unreadable(f"splits.{name}: it is not about the {len(labels)} classes named")


def save_strata(folder: Path, content: dict[str, Any]) -> None:
    """Keep groupings of the faces of some predictions, beside those kept before of the same.

    Args:
        folder: Of the results; made if absent.
        content: `predictions` (`predictions_hash`), `groupings`, and facts about them. A grouping
            replaces the one of the same `name` and `split`.
    """
    fresh = {(one["name"], one["split"]) for one in content["groupings"]}
    folder.mkdir(parents=True, exist_ok=True)
    with _SAVING:
        before = _kept_strata(folder, [str(content["predictions"])]).get("groupings", [])
        old = [one for one in before if (one["name"], one["split"]) not in fresh]
        kept = {**content, "groupings": [*old, *content["groupings"]]}
        write_json(folder / STRATA_FILE, {"format": STRATA_FORMAT, **kept})


def stored_strata(folder: Path) -> list[dict[str, Any]]:
    """What `save_strata` kept for a checkpoint, an entry for each data set measured on.

    Args:
        folder: Of the checkpoint.

    Returns:
        What belongs to predictions as they are now; possibly nothing.
    """
    others = (folder / EVALUATIONS, run_root() / EVALUATIONS / folder.name)
    places = [folder, *(one.parent for root in others for one in sorted(root.glob("*/*.json")))]
    found = [
        _kept_strata(place, [predictions_hash(home) for home in (place, folder)])
        for place in dict.fromkeys(places)
    ]
    return [one for one in found if one]


def strata_rows(grouping: dict[str, Any]) -> list[dict[str, Any]]:
    """A grouping as plain rows, one a stratum of each image set.

    Args:
        grouping: Of `stored_strata`.

    Returns:
        `images`, `stratum` ("" for the faces in none), `faces`, and figures as fractions, all but
        `expected` and `accuracy_answered` with `..._low` and `..._high`, the 95 % interval; None
        where not known. Where explanations were measured, `gap` and `lead` among them.
    """
    rows = []
    for one in grouping["rows"]:
        figures = {
            "accuracy": [one["accuracy"], *one["accuracy_interval"]],
            "difference": one["difference"],
            "macro_f1": one["macro_f1"],
            "coverage": [one["coverage"], *one["coverage_interval"]],
        }
        if "method" in grouping:
            explained = one["faithfulness"] or {"n": 0, "gap": None, "lead": None}
            figures |= {name: explained[name] for name in ("gap", "lead")}
        row = {"images": one["source"], "stratum": one["stratum"], "faces": one["n"]}
        for name, values in figures.items():
            ends = ("", "_low", "_high")
            row |= dict(zip((f"{name}{end}" for end in ends), values or [None] * 3, strict=True))
        row["expected"] = one["expected"]
        row["accuracy_answered"] = one["accuracy_answered"]
        rows.append(row)
    return rows


def predictions_hash(folder: Path) -> str:
    """What tells the predictions of a folder from others; "" without any."""
    files = [path for name in (FILE, OLD_FILE) if (path := folder / name).is_file()]
    return file_hash(files[0])[:16] if files else ""


def _kept_strata(folder: Path, predictions: Sequence[str]) -> dict[str, Any]:
    """The content of a strata.json about one of these predictions; empty without."""
    found = shaped_or_empty(folder / STRATA_FILE, StrataFile)
    usable = found.get("format") == STRATA_FORMAT
    return (
        found if usable and found.get("predictions") in [one for one in predictions if one] else {}
    )
