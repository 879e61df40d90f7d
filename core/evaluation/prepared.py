"""Find the prepared data a run was trained on, and further sources to test it on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.checkpoints import EVALUATIONS, is_shipped, kept_folder
from core.data import PAPER_SOURCES, PUBLISHED_VALID
from core.errors import DataError
from core.files import read_object
from core.paths import data_root
from core.shapes import DatasetFile
from core.stored import shaped_or_empty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.data import Dataset
    from core.models import Card

# Tested on by every run where prepared; other folders below the data root are a user's own.
BENCHMARKS = (*PAPER_SOURCES, PUBLISHED_VALID)


@dataclass(frozen=True, slots=True, eq=False)
class TestSet:
    """A data set with the sources of it that are to be predicted.

    Attributes:
        dataset: The prepared folder.
        sources: Names of sources, none of which another tested holds.
    """

    dataset: "Dataset"
    sources: tuple[str, ...]


def sources_of(info: dict[str, Any]) -> tuple[str, ...]:
    """Names of the sources in a dataset.json."""
    return tuple(str(name) for name in info.get("counts", {}))


def own_sources(card: "Card", info: dict[str, Any]) -> tuple[str, ...]:
    """The sources a run was trained on; a card without any means all of its data set.

    Of an imported network they are unknown, so there are none.
    """
    if "imported" in card.data:
        return ()
    named = tuple(str(name) for name in card.data.get("sources", ()))
    return named or tuple(name for name in sources_of(info) if name != PUBLISHED_VALID)


def seen_sources(card: "Card", info: dict[str, Any]) -> tuple[str, ...]:
    """The sources that shaped the weights: a run's own, and those of what it began with."""
    initial = card.data.get("initial")
    if initial is None:
        return own_sources(card, info)
    everything = tuple(name for name in sources_of(info) if name != PUBLISHED_VALID)
    before = initial.get("sources") or everything
    return tuple(name for name in everything if name in {*own_sources(card, info), *before})


def learnt_pictures(card: "Card", dataset: "Dataset") -> "NDArray[np.bool_]":
    """Which pictures a network may have been trained on, bool (N,).

    All of the sources that shaped its weights, but those of validation and test of every split that
    it and what it began with were trained on. A card that names no sources counts as having seen
    all; copies that a split dropped count as seen.
    """
    learnt = dataset.manifest["source"].isin(seen_sources(card, dataset.info))
    named = [one.get("split", "clean") for one in (card.data, card.data.get("initial") or {})]
    # One that began with several networks of different splits names none.
    splits = {"clean", "published"} if None in named else set(named)
    parts = [dataset.split(split)["part"] for split in sorted(splits)]
    held_out = [part.isin(["valid", "test"]).to_numpy(bool) for part in parts]
    found: NDArray[np.bool_] = learnt.to_numpy(bool) & ~np.logical_and.reduce(held_out)
    return found


def unlearnt(
    card: "Card", dataset: "Dataset", ids: "NDArray[np.int64]", name: str
) -> "NDArray[np.bool_]":
    """Which of a data set's clean validation pictures can judge a network, bool (n,).

    Args:
        card: Of the network.
        dataset: Prepared data.
        ids: int64 (n,), rows of its manifest.
        name: Of the network, for the error.

    Raises:
        DataError: It may have learnt from all of them.
    """
    new = ~learnt_pictures(card, dataset)[ids]
    if len(new) and not new.any():
        raise DataError(
            f"{name} was trained on the clean validation faces of {dataset.folder.name}, so they "
            "cannot judge it. Choose a run of split clean."
        )
    return new


def prepared_folders() -> dict[Path, dict[str, Any]]:
    """Prepared folders directly below the data root with their dataset.json, if whole."""
    found = {}
    for path in sorted(data_root().glob("*/dataset.json")):
        info = shaped_or_empty(path, DatasetFile)
        if info:
            found[path.parent] = info
    return found


def own_folder(card: "Card", run: str) -> Path:
    """The prepared folder of a run: the very data, else its name, else one with its sources.

    Raises:
        DataError: There is none.
    """
    if "imported" in card.data:
        raise DataError(
            f"{run} was imported, so what it was trained on is unknown. Name the prepared data to "
            "use with --data."
        )
    folders = prepared_folders()
    named = str(card.data.get("name", ""))
    wanted = set(card.data.get("sources", ()))
    for folder, info in folders.items():
        if info.get("data_hash") and info.get("data_hash") == card.data.get("data_hash"):
            return folder
    for folder, info in folders.items():
        if folder.name == named and wanted <= set(sources_of(info)):
            return folder
    for folder, info in folders.items():
        if wanted and wanted <= set(sources_of(info)):
            return folder
    sources = " ".join(f"{name}=PATH" for name in sorted(wanted)) or "SOURCE..."
    raise DataError(
        f"No prepared data for {run} is found below {data_root()}: expected a folder "
        f"{named or 'with its sources'!r}"
        f"{' or one with ' + ', '.join(sorted(wanted)) if wanted else ''}. Run: "
        f"python -m core prepare {sources} --out {data_root() / (named or 'NAME')}"
    )


def own_dataset(card: "Card", run: str, folder: Path | None = None) -> "Dataset":
    """The data of a run, or a prepared folder in its place; its classes are the run's.

    Raises:
        DataError: There is none, or it lacks one of the run's classes.
    """
    from core.data import load_dataset  # takes pandas

    return load_dataset(own_folder(card, run) if folder is None else folder).of_classes(card.labels)


def results_folder(folder: Path, card: "Card", dataset: "Dataset", *, named: bool) -> Path:
    """Where figures of a checkpoint on a data set are kept.

    Those on the data it was trained on are the checkpoint's own and lie in its folder. Those on
    other data never take their place, and a shipped folder is never written to.

    Args:
        folder: Of the checkpoint.
        card: Its card.
        dataset: What it is measured on.
        named: Whether the user named these data; else they stand for the checkpoint's own.

    Returns:
        The checkpoint's folder; or, named after the data, one in it; for a shipped checkpoint one
        below the run root. It need not exist.
    """
    known = card.data.get("data_hash")
    if "imported" in card.data:  # the first data it is measured on stand for its own
        known = read_object(folder / "report.json").get("data_hash", dataset.data_hash)
    name = dataset.folder.resolve().name
    is_same = dataset.data_hash == known if known else name == card.data.get("name")
    shipped = is_shipped(folder)
    if not shipped and (is_same or not named):
        return folder
    place = kept_folder(folder) if shipped else folder / EVALUATIONS
    others = {read_object(path).get("data_hash") for path in (place / name).glob("*.json")}
    taken = others - {None, dataset.data_hash}
    return place / (f"{name}-{dataset.data_hash[:8]}" if taken else name)


def sets_to_test(card: "Card", run: str, folder: Path | None = None) -> list[TestSet]:
    """What a run is evaluated on: its own data first, then sources that only other folders have.

    Args:
        card: The run's card.
        run: Its name, for error texts.
        folder: Use this prepared folder alone.

    Raises:
        DataError: The folder is not prepared, or none is found.
    """
    from core.data import load_dataset  # takes pandas; `runs`, which needs none, imports this file

    if folder is not None:
        dataset = load_dataset(folder)
        return [TestSet(dataset, sources_of(dataset.info))]
    first = own_folder(card, run)
    own = load_dataset(first)
    chosen = [TestSet(own, sources_of(own.info))]
    seen = set(chosen[0].sources)
    # The folder with the most sources first, so that twins are known across as many as possible.
    others = sorted(prepared_folders().items(), key=lambda entry: -len(sources_of(entry[1])))
    for folder, info in others:
        new = tuple(name for name in sources_of(info) if name in set(BENCHMARKS) - seen)
        if new and tuple(info.get("labels", ())) == own.labels:
            chosen.append(TestSet(load_dataset(folder), new))
            seen.update(new)
    return chosen
