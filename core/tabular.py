"""Rows of plain values as text: CSV, JSON, Markdown and LaTeX."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

TableFormat = Literal["md", "csv", "latex", "json"]
# Characters that Markdown, and Streamlit's, reads as formatting, links, formulae, icons or HTML.
_MARKUP = re.compile(r"([\\`*_~$:<>|&\[\]])")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")  # means nothing to Markdown
FORMULA = "=+-@\t\r"  # what a cell begins with that a spreadsheet computes
_LATEX = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "\\": r"\textbackslash{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
    | {'"': r"\texttt{\char34}"}  # straight in every font encoding, of which OT1 has no command
)

Row = Mapping[str, Any]


def table_text(rows: Sequence[Row], form: TableFormat) -> str:
    """A table that ends in a newline; columns are the keys of the first row.

    Args:
        rows: One value a column; None is an empty cell.
        form: CSV and JSON keep full precision, the others have three decimals.  LaTeX needs the
            package booktabs.
    """
    names = list(rows[0]) if rows else []
    match form:
        case "json":
            return json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n"
        case "csv":
            target = io.StringIO()
            writer = CsvWriter(target)
            writer.writerow(names)
            writer.writerows([row[name] for name in names] for row in rows)
            return target.getvalue()
        case "md":
            lines = [markdown_row(names), markdown_row(["---"] * len(names))]
            lines += [markdown_row([_cell(row[name]) for name in names]) for row in rows]
        case "latex":
            lines = [rf"\begin{{tabular}}{{{'l' * len(names)}}}", r"\toprule"]
            lines += [_latex(names), r"\midrule"]
            lines += [_latex([_cell(row[name]) for name in names]) for row in rows]
            lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def literal(text: str) -> str:
    """The text with everything escaped that Markdown would read as more than text.

    Whatever a stranger wrote goes through here: names of files and runs, texts of cards and errors.
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def percent(share: float) -> str:
    """A share of 1 in percent with one decimal, for example "93.1 %"."""
    return f"{100 * share:.1f} %"


def markdown_row(cells: Iterable[str]) -> str:
    """The line of a table; a cell is one line, whose bars part no cells."""
    return "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |"


def latex_cell(text: str) -> str:
    """The text with everything escaped that LaTeX would read as more than text, as one line.

    Behind the end of a row or a rule a bracket would begin an argument, and a star another command.
    """
    text = " ".join(text.split())
    return ("{}" if text[:1] in ("[", "*") else "") + text.translate(_LATEX)


def as_text(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Values of a file with all texts, keys too, escaped for Markdown."""
    if isinstance(value, str):
        return value if _PLAIN_NAME.fullmatch(value) else literal(value)
    if isinstance(value, dict):
        return {as_text(key): as_text(one) for key, one in value.items()}
    return [as_text(one) for one in value] if isinstance(value, list) else value


def as_code(text: str) -> str:
    """A text of `as_text` between backticks, where backslashes escape nothing."""
    return "`" + re.sub(r"[`\\]", "", text) + "`"


def plain_cell(value: object) -> object:
    """A cell of a CSV, which no spreadsheet takes for a formula.

    A text that begins like one gets `./` before it: as a file's name it names the same file.
    Numbers, also as texts, stay as they are.
    """
    if not isinstance(value, str) or value[:1] not in tuple(FORMULA) or len(value) == 1:
        return value
    try:
        float(value)
    except ValueError:
        return f"./{value}"
    return value


class CsvWriter:
    """The one way a CSV is written: what a stranger called a file never becomes a formula.

    Args:
        file: Open for text, with newline="".
        end: Of a line.
    """

    def __init__(self, file: IO[str], end: str = "\n") -> None:
        self._writer = csv.writer(file, lineterminator=end)

    def writerow(self, cells: Iterable[object]) -> None:
        """Write a line."""
        self._writer.writerow([plain_cell(cell) for cell in cells])

    def writerows(self, rows: Iterable[Iterable[object]]) -> None:
        """Write several."""
        for row in rows:
            self.writerow(row)


def frame_csv(table: "pd.DataFrame") -> str:
    """A table of pandas as CSV, without its index, by the same rule."""
    safe = table.copy(deep=False)
    for name in table.columns:
        if table[name].dtype.kind not in "biufcmM":
            safe[name] = table[name].astype(object).map(plain_cell)
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _latex(cells: Sequence[str]) -> str:
    return " & ".join(map(latex_cell, cells)) + r" \\"
