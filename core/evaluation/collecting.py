"""A model over prepared data, and what 8 bits cost."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data import PUBLISHED_VALID, TWIN, Dataset
from core.errors import DataError
from core.evaluation.calibration import scaled
from core.evaluation.predictions import Predictions
from core.evaluation.prepared import (
    TestSet,
    learnt_pictures,
    own_dataset,
    own_sources,
    unlearnt,
)
from core.models import Card
from core.types import Image

if TYPE_CHECKING:
    from core.inference import Quantisation
    from core.models import Card

BATCH = 512  # faces handed over at once, so that progress can be shown
FEWEST_TO_CALIBRATE = 50  # images; by fewer one would judge noise
DECIMALS = 9  # of a probability: fewer no longer sum to 1 for scikit-learn, more are only noise
FFHQ_PREFIX = "ffhq_"  # portraits among AffectNet's files
Progress = Callable[[int, int], None]


class Answers(Protocol):
    """What evaluation needs of a Predictor."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def card(self) -> "Card": ...

    @property
    def folder(self) -> Path: ...

    def logits(self, pixels: Image) -> NDArray[np.float64]: ...


def wanted_rows(
    tested: TestSet, labels: Sequence[str], card: Card, train_sources: Sequence[str]
) -> pd.DataFrame:
    """Which pictures of a data set are predicted, and as what.

    Args:
        tested: Data and sources.
        labels: The model's classes; pictures with another label are left out.
        card: The model's: validation pictures that it may have learnt from are left out, and its
            split has the part "train".
        train_sources: The sources whose training part is wanted as well.

    Returns:
        Columns id and the facts of a Predictions table.
    """
    dataset = tested.dataset
    manifest = dataset.manifest
    chosen = manifest["source"].isin(tested.sources) & manifest["label"].isin(list(labels))
    published = dataset.split("published")
    clean = dataset.split("clean")["part"]
    is_own_valid = manifest["source"] == PUBLISHED_VALID
    part = pd.Series("", index=manifest.index, dtype=object)
    trained_on = dataset.split(str(card.data.get("split", "clean")))["part"] == "train"
    part[trained_on & manifest["source"].isin(list(train_sources))] = "train"
    part[(clean == "valid") & ~learnt_pictures(card, dataset)] = "valid"
    part[(published["part"] == "valid") & is_own_valid] = "published_valid"
    part[published["part"] == "test"] = "test"
    twin = published["reason"].where(published["reason"].str.startswith(TWIN), "")
    names = manifest["path"].str.rsplit("/", n=1).str[-1]
    table = pd.DataFrame(
        {
            "id": manifest["id"],
            "path_hash": [path_hash(path) for path in manifest["path"]],
            "pixel_hash": manifest["pixel_hash"],
            "source": manifest["source"],
            "origin": np.where(names.str.startswith(FFHQ_PREFIX), "ffhq", ""),
            "part": part,
            "twin": twin.str.removeprefix(TWIN).where(part == "test", ""),
            "true": manifest["label"],
        }
    )
    return table[chosen & (part != "")]


def path_hash(path: str) -> str:
    """A short name of a picture's place inside its source, 16 hexadecimal digits."""
    return hashlib.sha256(path.encode()).hexdigest()[:16]


def logits_of(
    model: Answers,
    dataset: Dataset,
    ids: NDArray[np.int64],
    on_progress: Progress = lambda done, total: None,
) -> NDArray[np.float64]:
    """Logits float64 (n, K) of the pictures with these ids, in their order."""
    preprocess = model.card.preprocess
    found = []
    for start in range(0, len(ids), BATCH):
        batch = np.asarray(dataset.images[ids[start : start + BATCH]])
        found.append(model.logits(preprocess.squares(batch)))
        on_progress(min(start + BATCH, len(ids)), len(ids))
    if not found:
        return np.empty((0, len(model.labels)))
    return np.concatenate(found)


def collected(
    model: Answers,
    chosen: Sequence[TestSet],
    *,
    train_sources: Sequence[str] = (),
    on_progress: Progress = lambda done, total: None,
) -> tuple[Predictions, NDArray[np.float64]]:
    """Predict all wanted pictures.

    Args:
        model: The model.
        chosen: The run's own data first.
        train_sources: Sources of the run's own data whose training part is wanted as well.
        on_progress: Called with pictures done and pictures in all.

    Returns:
        Predictions at temperature 1 and the logits float64 (n, K) of the same rows.

    Raises:
        DataError: There is none.
    """
    tables = [
        wanted_rows(tested, model.labels, model.card, train_sources if number == 0 else ())
        for number, tested in enumerate(chosen)
    ]
    total = sum(len(table) for table in tables)
    if not total:
        names = ", ".join(tested.dataset.folder.name for tested in chosen)
        raise DataError(f"{names} has no test or validation picture with one of the labels.")
    done, logits = 0, []
    for tested, table in zip(chosen, tables, strict=True):
        before = done

        def report(inner: int, _: int, before: int = before) -> None:
            on_progress(before + inner, total)

        ids = table["id"].to_numpy(np.int64)
        logits.append(logits_of(model, tested.dataset, ids, report))
        done += len(ids)
    everything = np.concatenate(logits)
    facts = pd.concat(tables, ignore_index=True).drop(columns="id")
    return with_temperature(facts, model.labels, everything, 1.0), everything


def with_temperature(
    facts: pd.DataFrame,
    labels: Sequence[str],
    logits: NDArray[np.float64],
    temperature: float,
) -> Predictions:
    """Predictions of rows with known logits at a temperature, with as many digits as are kept."""
    probabilities = pd.DataFrame(
        scaled(logits, temperature).round(DECIMALS), columns=list(labels), index=facts.index
    )
    kept = facts[[name for name in facts.columns if name not in labels]]
    return Predictions(tuple(labels), pd.concat([kept, probabilities], axis=1))


def measure_quantisation(folder: Path, data: Path | None = None) -> "Quantisation":
    """Measure the ranges of 8 bits and store them with their cost beside the weights.

    Args:
        folder: Checkpoint folder; its quantisation.json is written.
        data: Prepared data; else the run's own below the data root.

    Raises:
        CheckpointError: The run cannot be loaded.
        DataError: No prepared data of the run's classes and sources is found, or in them too few
            validation faces that it has not learnt from.
    """
    from core.inference import calibrate  # loads a runtime

    card = Card.load(folder / "card.json")
    dataset = own_dataset(card, folder.name, data)
    known = set(dataset.manifest["source"])
    sources = [name for name in own_sources(card, dataset.info) if name in known]
    subset = dataset.part("clean", "valid", sources or None)
    subset = subset.where(unlearnt(card, dataset, subset.ids, folder.name))
    if len(subset) < FEWEST_TO_CALIBRATE:
        raise DataError(
            f"{dataset.folder.name} has {len(subset)} clean validation faces for {folder.name}; "
            f"expected {FEWEST_TO_CALIBRATE} or more to judge 8 bits by. Choose other data."
        )
    return calibrate(folder, card.preprocess.squares(subset.images), subset.labels)
