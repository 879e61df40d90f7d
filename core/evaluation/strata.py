"""Results by stratum: by a list of conditions, by head turn, by sharpness.

Every image set is told apart: which set a face is from decides more than most conditions do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import find_checkpoint
from core.data import Dataset, picture_statistics, read_strata
from core.errors import ConfigError, DataError
from core.evaluation.bootstrap import RESAMPLES, SEED, interval, share_difference, wilson
from core.evaluation.classification_metrics import confusion, confusion_replicates
from core.evaluation.collecting import Progress
from core.evaluation.examples import PlacedFaces, head_turns, placed_faces
from core.evaluation.predictions import Predictions
from core.evaluation.predictions_file import predictions_changed
from core.evaluation.prepared import results_folder, sets_to_test
from core.evaluation.report_file import predictions_hash, save_strata
from core.models import Card

CONDITIONS = {
    "stratum": "what the data set's own table says of its pictures",
    "head_turn": "how far the head is turned to either side, estimated from 68 landmarks",
    "sharpness": "log2(1 + variance of the Laplacian) of the square the network sees, in quarters "
    "of each image set",
}
LEAST_A_CLASS = 5  # faces of every expression, for a macro-F1
TURNS = (10, 20, 30, 45)  # degrees at which the bins of head turn meet

Mask = NDArray[np.bool_]
Key = tuple[str, str]  # image set and stratum; "" for the faces in none
# The faces of each key that are explained -> what was found, by key, and how: JSON.
Explaining = Callable[[Mapping[Key, tuple[Dataset, NDArray[np.int64]]]], dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Faces parted by one condition.

    Attributes:
        name: Of the condition; with the split it stands for the grouping on disk.
        about: What the strata are, a clause.
        members: bool (N,) by image set and stratum, in the order to show; "" for faces in none.
        notes: What is counted besides, in sentences.
    """

    name: str
    about: str
    members: Mapping[Key, Mask]
    notes: tuple[str, ...] = field(default=())


def measure_strata(
    run: str | Path,
    strata: Path | None = None,
    *,
    column: str | None = None,
    by: Sequence[str] = (),
    split: str = "test",
    data: Path | None = None,
    explaining: Explaining | None = None,
    on_progress: Progress = lambda done, total: None,
    on_kept: Callable[[Path], None] = lambda folder: None,
) -> dict[str, Any]:
    """Figures of a checkpoint by stratum, from its kept predictions; no network is asked.

    Args:
        run: Run name, folder, or "default".
        strata: A list of pictures and strata, see `core.data.read_strata`.
        column: Its column of strata.
        by: Of CONDITIONS; without a list, and empty, all that apply.
        split: One of SPLITS.
        data: Prepared folder; None finds the run's own.
        explaining: Measures explanations on faces that were answered rightly; None leaves it out.
        on_progress: Called with faces done and in all, while landmarks are fitted.
        on_kept: Called with the folder in which the figures are kept.

    Returns:
        `groupings` that were asked for, each with `name`, `split`, `about`, `notes` and `rows`. The
        figures are also kept in `strata.json` of the run's results, beside earlier ones.

    Raises:
        CheckpointError: The run cannot be used, or has no predictions of its present weights.
        DataError: Its data are not prepared, the split has no face, or the list cannot be used.
        ConfigError: There is no such condition.
    """
    unknown = [one for one in by if one not in CONDITIONS]
    if unknown:
        raise ConfigError(
            f"There is no condition {unknown[0]!r}. Choose of: {', '.join(CONDITIONS)}."
        )
    folder = find_checkpoint(run)
    card = Card.load(folder / "card.json")
    chosen = sets_to_test(card, folder.name, data)
    place = results_folder(folder, card, chosen[0].dataset, named=data is not None)
    home = place if predictions_changed(place) else folder
    faces = placed_faces(folder, home, card, chosen, split)
    groupings = _groupings(faces, strata, column, by, on_progress)
    found = [
        {**_measured(faces, one, explaining), "split": split, "date": _now()} for one in groupings
    ]
    kept = {
        "checkpoint": folder.name,
        "data": chosen[0].dataset.folder.name,
        "predictions": predictions_hash(home),
        "threshold": faces.threshold,
    }
    save_strata(place, {**kept, "groupings": found})
    on_kept(place)
    return {**kept, "groupings": found}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _groupings(
    faces: PlacedFaces,
    strata: Path | None,
    column: str | None,
    by: Sequence[str],
    on_progress: Progress,
) -> list[Grouping]:
    """The groupings asked for; where none is, all that apply."""
    found = [] if strata is None else [_listed(faces, strata, column)]
    has_strata = bool((faces.told("stratum") != "").any())
    if "stratum" in by and not has_strata:
        raise DataError(
            f"{faces.chosen[0].dataset.folder.name} says no stratum of these faces. Prepare it "
            "from a table with a column stratum, or give a list."
        )
    wanted = by or (() if strata else [one for one in CONDITIONS if one != "stratum" or has_strata])
    for one in wanted:
        if one == "stratum":
            words = faces.told("stratum")
            masks = {str(word): words == word for word in dict.fromkeys(words) if word}
            found.append(Grouping(one, CONDITIONS[one], _by_source(faces, masks)))
        else:
            bins = _turned(faces, on_progress) if one == "head_turn" else _sharp(faces)
            found.append(Grouping(one, CONDITIONS[one], bins))
    return found


def _by_source(faces: PlacedFaces, masks: Mapping[str, Mask]) -> dict[Key, Mask]:
    """Each stratum in each image set with a face in one of them, and the faces in none."""
    inside = np.any(list(masks.values()), axis=0)
    members: dict[Key, Mask] = {}
    for source in faces.predictions.sources:
        own = faces.sources == source
        if (own & inside).any():
            members |= {(source, word): mask & own for word, mask in masks.items()}
            members |= {(source, ""): own & ~inside} if (own & ~inside).any() else {}
    return members


def _listed(faces: PlacedFaces, strata: Path, column: str | None) -> Grouping:
    """The strata of a list."""
    paths = {
        path
        for tested in faces.chosen
        for path, source in tested.dataset.manifest[["path", "source"]].itertuples(index=False)
        if source in tested.sources
    }
    read = read_strata(strata, sorted(paths), column)
    own = faces.told("path")
    found = {word: np.zeros(len(own), bool) for word in read.strata}
    for row, path in enumerate(own):
        for word in read.members.get(path, ()):
            found[word][row] = True
    inside = np.any(list(found.values()), axis=0)
    if not inside.any():
        raise DataError(
            f"No face of this split is in a stratum of {strata.name}, which names "
            f"{len(read.members):,} pictures of the data. Choose the split that holds them."
        )
    members = _by_source(faces, found)
    elsewhere = len(set(read.members) - set(own))
    rest = ~np.isin(faces.sources, [source for source, _ in members])
    several = int((np.sum(list(found.values()), axis=0) > 1).sum())
    left = ", ".join(sorted(set(faces.sources[rest])))
    counted = {
        f"of the {read.names:,} names in the list are not in the data, such as "
        f"{' and '.join(read.missing[:2])}.": len(read.missing),
        f"of the {read.names:,} names fit several pictures and are left out, such as "
        f"{' and '.join(read.ambiguous[:2])}; a column folder tells them apart.": len(
            read.ambiguous
        ),
        "listed pictures are not among the faces of this split.": elsewhere,
        "faces are in more than one stratum.": several,
        f"faces are of image sets that the list does not name ({left}), and are left out.": int(
            rest.sum()
        ),
    }
    return Grouping(
        f"{strata.stem}, {read.column}",
        f"the words in column {read.column} of a list",
        members,
        tuple(f"{count:,} {note}" for note, count in counted.items() if count),
    )


def _sharp(faces: PlacedFaces) -> dict[Key, Mask]:
    """Quarters of each image set by sharpness."""
    values = np.full(len(faces.places), np.nan)
    for number, rows, ids in faces.by_data():
        images = np.asarray(faces.chosen[number].dataset.images[ids])
        values[rows] = picture_statistics(images)["sharpness"].to_numpy(np.float64)
    members: dict[Key, Mask] = {}
    for source in faces.predictions.sources:
        own = faces.sources == source
        known = values[own & ~np.isnan(values)]
        if len(known):
            edges = sorted(set(np.quantile(known, [0.25, 0.5, 0.75]).round(2).tolist()))
            members |= _binned(source, own, values, edges, ".2f", "")
    return members


def _turned(faces: PlacedFaces, on_progress: Progress) -> dict[Key, Mask]:
    """Bins of head turn to either side."""
    values = np.full(len(faces.places), np.nan)
    total = sum(len(rows) for _, rows, _ in faces.by_data())
    done = 0
    for number, rows, ids in faces.by_data():
        before = done

        def show(some: int, _: int, before: int = before) -> None:
            on_progress(before + some, total)

        values[rows] = np.abs(head_turns(faces.chosen[number].dataset, ids, show))
        done += len(rows)
    members: dict[Key, Mask] = {}
    for source in faces.predictions.sources:
        own = faces.sources == source
        members |= _binned(source, own, values, TURNS, "d", "°")
    return members


def _binned(
    source: str,
    own: Mask,
    values: NDArray[np.float64],
    edges: Sequence[float],
    form: str,
    unit: str,
) -> dict[Key, Mask]:
    """Bins that meet at these edges, each with its lower edge, and the faces without a value."""
    known = own & ~np.isnan(values)
    numbers = np.searchsorted(edges, values, side="right")
    texts = [f"{edge:{form}}{unit}" for edge in edges]
    names = [f"below {texts[0]}"]
    names += [f"{low} to {high}" for low, high in pairwise(texts)]
    names += [f"{texts[-1]} and more"]
    members = {(source, name): known & (numbers == i) for i, name in enumerate(names)}
    return members | ({(source, ""): own & ~known} if (own & ~known).any() else {})


def _measured(
    faces: PlacedFaces, grouping: Grouping, explaining: Explaining | None
) -> dict[str, Any]:
    """The figures of every stratum of a grouping as JSON."""
    rows = []
    for (source, stratum), mask in grouping.members.items():
        rest = (faces.sources == source) & ~mask
        rows.append({"source": source, "stratum": stratum, **_figures(faces, mask, rest)})
    missing = int((faces.places["data"] < 0).sum())
    notes = list(grouping.notes)
    if missing:
        notes.append(
            f"{missing:,} of {len(faces.places):,} predicted faces are not in the prepared data."
        )
    found = {"name": grouping.name, "about": grouping.about, "notes": notes, "rows": rows}
    if explaining is None:
        return found
    correct = faces.predictions.correct & (faces.places["data"] >= 0).to_numpy()
    explained: dict[Key, tuple[Dataset, NDArray[np.int64]]] = {}
    for key, mask in grouping.members.items():
        chosen = faces.places[mask & correct]
        if len(chosen):
            dataset = faces.chosen[int(chosen["data"].iloc[0])].dataset
            explained[key] = (dataset, chosen["id"].to_numpy(np.int64))
    answer = explaining(explained)
    for row in rows:
        row["faithfulness"] = answer["groups"].get((row["source"], row["stratum"]))
    return {**found, **{name: answer[name] for name in ("method", "layer", "faces")}}


def _figures(faces: PlacedFaces, mask: Mask, rest: Mask) -> dict[str, Any]:
    """Figures of the faces of a stratum, and how far its accuracy is from the rest's."""
    correct = faces.predictions.correct
    answered = faces.predictions.confidence >= faces.threshold
    n, right, others = int(mask.sum()), int(correct[mask].sum()), int(rest.sum())
    sure = mask & answered
    difference = None
    if n and others:
        value, ends = share_difference((right, n), (int(correct[rest].sum()), others))
        difference = [value, *ends]
    return {
        "n": n,
        "accuracy": right / n if n else None,
        "accuracy_interval": list(wilson(right, n)),
        "difference": difference,
        "expected": _expected(faces.predictions, mask, rest),
        "macro_f1": _macro_f1(faces.predictions.where(mask)),
        "coverage": int(sure.sum()) / n if n else None,
        "coverage_interval": list(wilson(int(sure.sum()), n)),
        "answered": int(sure.sum()),
        "accuracy_answered": float(correct[sure].mean()) if sure.any() else None,
    }


def _expected(predictions: Predictions, mask: Mask, rest: Mask) -> float | None:
    """The accuracy of faces with this mix of expressions, each as often right as in the rest.

    None without faces, or where the rest lacks an expression.
    """
    true, classes = predictions.true, len(predictions.labels)
    own, others = (np.bincount(true[part], minlength=classes) for part in (mask, rest))
    if not own.sum() or (others[own > 0] == 0).any():
        return None
    right = np.bincount(true[rest & predictions.correct], minlength=classes)
    return float((own * right / np.maximum(others, 1)).sum() / own.sum())


def _macro_f1(predictions: Predictions) -> list[float] | None:
    """Macro-F1 and its 95 % bootstrap interval; None where an expression has too few faces."""
    counts = confusion(predictions) if len(predictions) else np.zeros((1, 1), np.int64)
    if counts.sum(axis=1).min() < LEAST_A_CLASS:
        return None
    right = counts.diagonal()
    value = float((2 * right / (counts.sum(axis=0) + counts.sum(axis=1))).mean())
    drawn = confusion_replicates(counts, RESAMPLES, np.random.default_rng(SEED))["macro_f1"]
    return [value, *interval(value, drawn)]
