"""One part of the work: what any process of any machine does with it."""

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.batch_inference.store import Listing, Store
from core.checkpoints import WEIGHTS, find_checkpoint
from core.errors import CheckpointError
from core.files import fingerprint
from core.predict import Engine, Predictor
from core.scoring import BOX, FacesMode, Score, as_row, header, score_files
from core.tabular import CsvWriter

CSV, PARQUET = ".csv", ".parquet"
_READ: dict[pa.DataType, Callable[[str], object]] = {  # cells that are not empty
    pa.float64(): float,
    pa.int32(): int,
    pa.bool_(): "true".__eq__,
}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every file.

    Attributes:
        checkpoint: Name or folder, the same on every machine.
        engine: What computes the answers, see `Predictor`.
        faces: What of a picture is scored, see `score_files`.
        all_faces: Whether every face gets a row.
        suffix: ".csv" or ".parquet", the form of the parts.
        weights: Fingerprint of the weights that answer; `score_all` fills it in.
    """

    checkpoint: str
    engine: Engine = "auto"
    faces: FacesMode = "auto"
    all_faces: bool = False
    suffix: str = CSV
    weights: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PartWork:
    """What any process needs to score a part by its number.

    Attributes:
        request: What is asked.
        place: Of the store that holds the listing and takes the parts.
    """

    request: Request
    place: str

    def __call__(self, number: int, *, threads: int = 0) -> int:
        """Score the files of a part and keep its rows.

        Args:
            number: Of the part.
            threads: Threads the network may use; 0 for one a core.

        Returns:
            Number of files.

        Raises:
            CheckpointError: This machine has no such checkpoint, or one with other weights.
            OSError: The part cannot be kept.
        """
        request, store = self.request, Store(self.place)
        folder = find_checkpoint(request.checkpoint)
        if fingerprint(folder / WEIGHTS) != request.weights:
            raise CheckpointError(
                f"{folder.name} has other weights here than where the run began. Bring them back, "
                "or begin anew with --restart."
            )
        predictor = _predictor(folder, request.weights, request.engine, threads)
        files = Listing(store).part(number)
        scores = score_files(files, predictor, faces=request.faces, all_faces=request.all_faces)
        write = csv_rows if request.suffix == CSV else parquet_rows
        store.write_part(number, write(list(scores), predictor.labels), request.suffix)
        return len(files)


@lru_cache(maxsize=1)
def _predictor(folder: Path, weights: str, engine: Engine, threads: int) -> Predictor:
    return Predictor(folder, engine, threads=threads)


def csv_rows(scores: Sequence[Score], labels: Sequence[str]) -> bytes:
    """Lines of the scores file, without its header."""
    text = io.StringIO(newline="")
    CsvWriter(text, "\r\n").writerows(as_row(score, labels) for score in scores)
    return text.getvalue().encode()


def csv_header(labels: Sequence[str]) -> bytes:
    """The first line of the scores file."""
    text = io.StringIO(newline="")
    CsvWriter(text, "\r\n").writerow(header(labels))
    return text.getvalue().encode()


def schema(labels: Sequence[str]) -> pa.Schema:
    """Columns of the Parquet form: those of the CSV, numbers as numbers."""
    whole = dict.fromkeys(("faces", *BOX), pa.int32())
    numbers = dict.fromkeys((*labels, "confidence"), pa.float64())
    kinds = {**numbers, **whole, "unclear": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in header(labels)])


def parquet_rows(scores: Sequence[Score], labels: Sequence[str]) -> bytes:
    """Rows as a Parquet file of one row group."""
    form = schema(labels)
    rows = [as_row(score, labels) for score in scores]
    columns = []
    for place, field in enumerate(form):
        values = [row[place] for row in rows]
        if field.type == pa.string():
            columns.append(pa.array(values, field.type))
        else:
            read = _READ[field.type]
            columns.append(pa.array([read(v) if v else None for v in values], field.type))
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, schema=form), sink, compression="zstd")
    return bytes(sink.getvalue())
