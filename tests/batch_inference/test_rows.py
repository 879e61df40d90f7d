"""The rows of a scores file are the same in CSV and in Parquet, and any reader takes them."""

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from scored_pictures import small_request

from core.batch_inference import run as run_module
from core.batch_inference import score_all
from core.errors import CoreError
from core.models import Card


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


@pytest.mark.parametrize("form", [".csv", ".parquet"])
@pytest.mark.parametrize(("threshold", "said"), [(0.0, None), (0.01, False), (0.99, True)])
def test_an_answer_below_the_networks_threshold_is_called_unclear(
    run: Path, pictures: Path, tmp_path: Path, form: str, threshold: float, said: bool | None
) -> None:
    own, out = Path(shutil.copytree(run, tmp_path / "own")), tmp_path / f"s{form}"
    replace(Card.load(own / "card.json"), threshold=threshold).save(own / "card.json")
    words = {None: "", False: "false", True: "true"} if form == ".csv" else {}
    given = [pictures / "a" / "00.png", pictures / "a" / "notes.txt"]

    score_all(given, str(out), small_request(own, form), cluster="here")

    rows = rows_of(out)
    assert list(rows[0])[-2:] == ["note", "unclear"]
    assert [row["unclear"] for row in rows] == [words.get(one, one) for one in (said, None)]


def test_a_table_begun_with_other_columns_is_not_gone_on_with(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    words = ([pictures], str(tmp_path / "s.csv"), small_request(run))
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "FORMAT", run_module.FORMAT - 1)
        with pytest.raises(KeyboardInterrupt):
            score_all(*words, cluster="here", on_progress=stop)

    with pytest.raises(CoreError, match=r"earlier version .* other columns\. .*--restart"):
        score_all(*words, cluster="here")

    assert score_all(*words, cluster="here", restart=True).kept == 0
