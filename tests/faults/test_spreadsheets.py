"""Names that a spreadsheet would compute: written so that they stay names."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from core.batch_inference.work import csv_header, csv_rows
from core.scoring import Score
from core.tabular import CsvWriter, frame_csv, literal, plain_cell, table_text

FORMULAS = ('=cmd|"/c calc"!A1.png', "+1+1.png", "-2+3.png", "@SUM(1,1).png", "\t=1+1.png")


@pytest.mark.parametrize("name", FORMULAS)
def test_every_table_writes_a_formula_as_the_file_s_name(tmp_path: Path, name: str) -> None:
    score = Score(Path(name), None, "", "unreadable", name)
    rows = csv_header(["happiness"]) + csv_rows([score], ["happiness"])
    (tmp_path / "s.csv").write_bytes(rows)
    with (tmp_path / "s.csv").open(newline="") as file:
        scores = list(csv.reader(file))[1]
    frame = list(csv.reader(io.StringIO(frame_csv(pd.DataFrame({"path": [name], "n": [-1.5]})))))
    table = list(csv.reader(io.StringIO(table_text([{"path": name, "n": -2}], "csv"))))

    assert scores[0] == f"./{name}"
    assert f"./{name}" in scores[1:]
    assert frame[1] == [f"./{name}", "-1.5"]
    assert table[1] == [f"./{name}", "-2"]


def test_numbers_and_dashes_stay_as_they_are() -> None:
    target = io.StringIO()

    CsvWriter(target).writerow([-0.5, "-0.5", "-1e-07", "-", "", None, "a=b"])

    assert target.getvalue() == "-0.5,-0.5,-1e-07,-,,,a=b\n"


ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for name in ("core", "webapp") for path in sorted((ROOT / name).rglob("*.py"))]


def test_csv_is_written_in_one_way() -> None:
    words = ("csv.writer(", "DictWriter(", ".to_csv(")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(word in path.read_text(encoding="utf-8") for word in words)
    }

    assert found == {"core/tabular.py"}


def test_what_markdown_would_read_is_escaped() -> None:
    assert literal("![t](http://x) <b> &lt; a_b") == (r"!\[t\](http\://x) \<b\> \&lt; a\_b")
    assert plain_cell(3) == 3
