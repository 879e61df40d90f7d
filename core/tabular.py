"""Rows of plain values as text: CSV, JSON, Markdown and LaTeX."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

TableFormat = Literal["md", "csv", "latex", "json"]
LATEX = str.maketrans(
    {char: f"\\{char}" for char in "&%$#_{}"}
    | {"~": r"\textasciitilde{}", "\\": r"\textbackslash{}", "^": r"\textasciicircum{}"}
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
            writer = csv.writer(target, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([row[name] for name in names] for row in rows)
            return target.getvalue()
        case "md":
            lines = [_markdown(names), _markdown(["---"] * len(names))]
            lines += [_markdown([_cell(row[name]) for name in names]) for row in rows]
        case "latex":
            lines = [rf"\begin{{tabular}}{{{'l' * len(names)}}}", r"\toprule"]
            lines += [_latex(names), r"\midrule"]
            lines += [_latex([_cell(row[name]) for name in names]) for row in rows]
            lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _markdown(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _latex(cells: Sequence[str]) -> str:
    return " & ".join(cell.translate(LATEX) for cell in cells) + r" \\"
