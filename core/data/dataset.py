"""A prepared data set on disk, and the parts of it that training and evaluation read.

DIR/
├── dataset.json           format, class set, preprocessing, sources, counts, data hash
├── manifest.csv           a row a picture; the row number is the id and the index into the cache
├── images.npy             uint8 (N, 64, 64), memory-mapped
├── pairs.csv              duplicate pairs: first, second, exact, correlation
├── mirrored.csv           mirrored pairs: first, second, correlation (not in older data)
├── skipped.csv            what was not taken, and why
├── splits/published.csv   id, part, reason
├── splits/clean.csv
├── splits/exclude.csv     pictures judged unfit (optional)
├── frames.npz             how the app would frame each face (optional)
├── statistics.csv         id, brightness, contrast, sharpness
├── class_means.npz        mean face a source and class
└── audit.json, audit.md
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.containers import open_container
from core.data.pictures import PictureReader
from core.data.table1 import PUBLISHED_VALID
from core.errors import DataError
from core.files import write_text
from core.labels import NEUTRAL
from core.shapes import DatasetFile
from core.stored import Unreadable, check_shape, read_shaped
from core.tabular import frame_csv
from core.types import Image

FORMAT = 1
WITHOUT_TWINS = "test_without_twins"
TWIN = "twin: "  # begins the reason of a test picture with a copy in train, in `published`
_TEXT = (
    "source",
    "split",
    "label",
    "subject",
    "stratum",
    "path",
    "mode",
    "pixel_hash",
    "perceptual_hash",
)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Replace a table at once, without its index; the folder is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, frame_csv(table))


@dataclass(frozen=True, slots=True, eq=False)
class Subset:
    """The pictures of one part.

    Attributes:
        ids: int64 (n,) rows of the manifest.
        images: uint8 (n, 64, 64) in memory.
        labels: int64 (n,) index into the data set's labels.
        sources: object (n,) source names.
    """

    ids: NDArray[np.int64]
    images: Image
    labels: NDArray[np.int64]
    sources: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, chosen: NDArray[np.bool_]) -> "Subset":
        """Those of the pictures that are chosen, bool (n,)."""
        return Subset(
            self.ids[chosen], self.images[chosen], self.labels[chosen], self.sources[chosen]
        )


class Dataset:
    """A prepared folder; tables and cache are read when first asked for.

    Attributes:
        folder: Where it lies.
        info: The values of dataset.json.
    """

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self.folder = folder
        self.info = info
        self._reading = threading.Lock()  # the app's threads share one data set
        self._readers: dict[str, PictureReader] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the label numbers."""
        return tuple(self.info["labels"])

    def of_classes(self, labels: Sequence[str]) -> "Dataset":
        """The same pictures for a network with these classes; others are in no part.

        Args:
            labels: The network's classes; data without neutral serve no network that knows it.

        Raises:
            DataError: The data were prepared without one of them.
        """
        if lacking := [label for label in labels if label not in self.labels]:
            raise DataError(
                f"{self.folder.name} holds the classes {', '.join(self.labels)}, and "
                f"{', '.join(lacking)} is wanted as well. Choose class_set=six, or prepare the "
                "data with --class-set seven from sources with neutral faces."
                if lacking == [NEUTRAL]
                else f"{self.folder.name} holds the classes {', '.join(self.labels)}; wanted are "
                f"{', '.join(labels)}. Choose data prepared for them."
            )
        same = tuple(labels) == self.labels
        return self if same else Dataset(self.folder, {**self.info, "labels": list(labels)})

    @property
    def data_hash(self) -> str:
        """sha256 over all pictures' pixels, labels, sources and splits."""
        return str(self.info["data_hash"])

    @cached_property
    def order_hash(self) -> str:
        """sha256 over all pictures' pixels in their order, for what knows pictures by number."""
        return sha256("\n".join(self.manifest["pixel_hash"]).encode()).hexdigest()

    @cached_property
    def manifest(self) -> pd.DataFrame:
        """One row a picture, see `docs/datasets.md`; an unlabelled one has the label ""."""
        types: dict[str, Any] = dict.fromkeys(_TEXT, str)
        path = self.folder / "manifest.csv"  # names may hold a carriage return
        return pd.read_csv(path, dtype=types, keep_default_na=False, lineterminator="\n")

    @cached_property
    def images(self) -> Image:
        """uint8 (N, 64, 64), memory-mapped, read-only."""
        images: Image = np.load(self.folder / "images.npy", mmap_mode="r")
        return images

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Duplicate pairs: first, second, exact (0 or 1), correlation."""
        return pd.read_csv(self.folder / "pairs.csv")

    @cached_property
    def mirrored(self) -> pd.DataFrame | None:
        """Mirrored pairs: first, second, correlation; None where preparing did not look for any."""
        path = self.folder / "mirrored.csv"
        return pd.read_csv(path) if path.is_file() else None

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """Brightness, contrast and sharpness of every picture (see `core.data.statistics`)."""
        return pd.read_csv(self.folder / "statistics.csv")

    def split(self, name: str) -> pd.DataFrame:
        """The table of a split, columns id, part, reason.

        Raises:
            DataError: There is no such split.
        """
        path = self.folder / "splits" / f"{name}.csv"
        known = sorted(file.stem for file in path.parent.glob("*.csv") if file.stem != "exclude")
        if name not in known:
            raise DataError(f"There is no split {name!r}. Choose one of: {', '.join(known)}.")
        return pd.read_csv(path, dtype={"part": str, "reason": str}, keep_default_na=False)

    def ids(
        self, split: str = "clean", part: str = "train", sources: Sequence[str] | None = None
    ) -> NDArray[np.int64]:
        """Ids of a part, ascending, int64 (n,).

        Args:
            split: "clean" or "published".
            part: "train", "valid", "test", "drop", or "test_without_twins": the published test
                less the pictures that have a copy in the published train.
            sources: Only these sources; None for all.

        Raises:
            DataError: There is no such split, part or source.
        """
        table = self.split(split)
        wanted = table["part"] == part
        if part == WITHOUT_TWINS:
            twins = self.split("published")["reason"].str.startswith(TWIN)
            wanted = (table["part"] == "test") & ~twins
        elif part not in {"train", "valid", "test", "drop"}:
            raise DataError(
                f"There is no part {part!r}. Choose train, valid, test, {WITHOUT_TWINS} or drop."
            )
        if sources is not None:
            own = self.manifest["source"].unique()
            unknown = sorted(set(sources) - set(own))
            if unknown:
                raise DataError(
                    f"{self.folder.name} has no source {', '.join(unknown)}; it has "
                    f"{', '.join(own)}. Set sources to some of these, as in sources={own[0]}, or "
                    "leave it empty for all."
                )
            wanted &= self.manifest["source"].isin(sources)
        return table.loc[wanted, "id"].to_numpy(np.int64)

    def validating(self, split: str, chosen: Sequence[str]) -> Sequence[str] | None:
        """The sources that validate a training on some; None for all.

        Those chosen; in the published split the paper's 600, where these have no such pictures.

        Args:
            split: "clean" or "published".
            chosen: The sources learned from; none for all.

        Raises:
            DataError: In the published split there is nothing that validates.
        """
        if not chosen or split != "published" or len(self.ids("published", "valid", chosen)):
            return chosen or None
        if PUBLISHED_VALID in set(self.manifest["source"]):
            return [PUBLISHED_VALID]
        raise DataError(
            f"Split 'published' of {self.folder.name} has no validation image of "
            f"{', '.join(chosen)}; as published only the paper's 600 validate. Set "
            "split=clean, or prepare the data with these 600 (gimefive_valid)."
        )

    def part(
        self, split: str = "clean", part: str = "train", sources: Sequence[str] | None = None
    ) -> Subset:
        """The labelled pictures of a part, in memory; arguments as for `ids`.

        Raises:
            DataError: There is no such split, part or source, or it is empty.
        """
        numbers = {label: number for number, label in enumerate(self.labels)}
        ids = self.ids(split, part, sources)
        known = self.manifest["label"].map(numbers).fillna(-1)
        labels = np.asarray(known.to_numpy(np.int64)[ids], dtype=np.int64)
        ids, labels = ids[labels >= 0], labels[labels >= 0]
        if not len(ids):
            chosen = f" of {', '.join(sources)}" if sources is not None else ""
            raise DataError(f"Part {part} of split {split}{chosen} in {self.folder.name} is empty.")
        names = self.manifest["source"].to_numpy(dtype=object)[ids]
        return Subset(ids, np.asarray(self.images[ids]), labels, names)

    def original(self, row: int) -> Image:
        """The picture as its source has it, RGB uint8 (H, W, 3).

        Raises:
            DataError: There is no such id, or the source is no longer where it was.
            ImageError: The source has changed and no picture is there.
        """
        if not 0 <= row < len(self.manifest):
            raise DataError(
                f"There is no picture {row}; ids go from 0 to {len(self.manifest) - 1}."
            )
        key, _, reference = str(self.manifest["path"].iloc[row]).partition("!")
        with self._reading:
            picture, _ = self._reader(key).read(reference)
        return picture

    def _reader(self, key: str) -> PictureReader:
        """A kept reader of one source: opening a zip of thousands of pictures takes a while."""
        if key not in self._readers:
            roots = {one["key"]: Path(one["root"]) for one in self.info["sources"]}
            root = roots.get(key)
            if root is None or not root.exists():
                raise DataError(
                    f"{key} is no longer where it was when the set was prepared ({root}). "
                    "Put it back, or prepare the set again from its new place."
                )
            self._readers[key] = PictureReader(open_container(root))
        return self._readers[key]


def load_dataset(folder: str | Path) -> Dataset:
    """Open a prepared folder.

    Raises:
        DataError: The folder is no finished data set of this format, or is damaged.
    """
    folder = Path(folder)
    if not (folder / "dataset.json").is_file():
        raise DataError(
            f"{folder} is no prepared data set. Run: python -m core prepare SOURCE --out {folder}"
        )
    try:
        info = read_shaped(folder / "dataset.json", dict[str, Any])
        if info.get("format") != FORMAT:
            found = info.get("format", "none")
            raise DataError(
                f"{folder.name} has format {found}, expected {FORMAT}. Prepare it again."
            )
        check_shape(info, DatasetFile)
    except (OSError, Unreadable) as error:
        why = error.strerror if isinstance(error, OSError) else error  # without the server's path
        raise DataError(
            f"{folder.name}/dataset.json cannot be read ({why}). Prepare the data set again."
        ) from error
    for name in ("manifest.csv", "images.npy", "pairs.csv"):
        if not (folder / name).is_file():
            raise DataError(f"{folder.name} lacks {name}. Prepare it again.")
    return Dataset(folder, info)


def counts_of(manifest: pd.DataFrame) -> dict[str, dict[str, dict[str, int]]]:
    """Numbers of pictures as {source: {split: {label: n}}}."""
    nested: dict[str, dict[str, dict[str, int]]] = {}
    rows = manifest[["source", "split", "label"]].itertuples(index=False, name=None)
    for (source, split, label), number in Counter(rows).items():
        nested.setdefault(source, {}).setdefault(split, {})[label] = number
    return nested


def data_hash(manifest: pd.DataFrame) -> str:
    """sha256 over the rows (pixel_hash, label, source, split), whatever their order."""
    columns = manifest[["pixel_hash", "label", "source", "split"]]
    rows = sorted(",".join(row) for row in columns.itertuples(index=False, name=None))
    return sha256("\n".join(rows).encode()).hexdigest()
