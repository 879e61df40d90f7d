"""The rows of a scores file are the same in CSV and in Parquet, and any reader takes them."""

import csv
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from scored_pictures import small_request

from core.batch_inference import score_all


def rows_of(out: Path) -> list[dict[str, Any]]:
    """The rows of a scores file of either form."""
    if out.suffix == ".parquet":
        found: list[dict[str, Any]] = pq.read_table(out).to_pylist()
        return found
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("form", [".csv", ".parquet"])
def test_a_file_whose_name_is_no_text_stands_in_a_table_that_is(
    run: Path, tmp_path: Path, form: str
) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).write_bytes(b"no picture")
    out = tmp_path / f"s{form}"

    score_all([tmp_path], str(out), small_request(run, form), cluster="here")

    (row,) = rows_of(out)
    assert (row["status"], row["filepath"]) == ("unreadable", f"{tmp_path}/caf\\xe9.jpg")
    assert "caf\\xe9.jpg" in row["error"]
