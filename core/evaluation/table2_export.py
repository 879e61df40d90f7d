"""Table 2 as Markdown, CSV, LaTeX and JSON, and what Figure 1 draws of it."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from core.evaluation.paper_tables import PARTS
from core.tabular import CsvWriter, latex_cell, markdown_row

Format = Literal["md", "csv", "latex", "json"]
FORMATS: tuple[Format, ...] = ("md", "csv", "latex", "json")
PUBLISHED = ("train", "test", "valid")
_MOST_PARTS = 3  # of a sum of epochs that is written out


def exported(rows: Sequence[dict[str, Any]], form: Format) -> str:
    """The rows that `table2` gave as text ending in a newline.

    Raises:
        ValueError: There is no such format.
    """
    match form:
        case "json":
            return json.dumps(list(rows), indent=1, ensure_ascii=False) + "\n"
        case "csv":
            return as_csv(rows)
        case "md":
            return as_markdown(rows)
        case "latex":
            return as_latex(rows)
    raise ValueError(f"there is no format {form!r}; choose one of {', '.join(FORMATS)}")


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """One line a row, figures in %, full precision; empty where not measured.

    `epochs` and `faces_seen` are of the run itself; `epochs_before` are those of the runs it went
    on from, as far as they were on the same data, empty where these are not all at hand.
    """
    target = io.StringIO()
    names = ["dataset", "model", "name", "layers", "architecture", "parameters"]
    header = [*names, *(f"published_{part}" for part in PUBLISHED)]
    for part in PARTS:
        header += [f"measured_{part}", f"{part}_low", f"{part}_high", f"{part}_n"]
    about = ("run", "split", "epochs", "epochs_before", "faces_seen", "faces_per_second", "date")
    header += [*about, "status", "command"]
    writer = CsvWriter(target)
    writer.writerow(header)
    for row in rows:
        measured = dict(row["measured"] or {})
        if measured and all(one["epochs"] for one in measured.get("earlier", [])):
            measured["epochs_before"] = sum(all_epochs(measured)[:-1])
        cells = [row[name] for name in names] + [row["published"][part] for part in PUBLISHED]
        for part in PARTS:
            low, high = measured.get("intervals", {}).get(part, (None, None))
            cells += [measured.get(part), low, high, measured.get("n", {}).get(part)]
        cells += [measured.get(name) for name in about]
        writer.writerow([*cells, row["status"], row["command"]])
    return target.getvalue()


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """A table for a README: published and measured figures side by side, intervals for test."""
    header = [
        "data", "model", "layers", "architecture", "parameters",
        "published train / test / valid %",
        "measured train / test / published valid %", "95 % interval of test",
        "test without twins %", "run", "epochs", "faces seen", "faces/s answered", "date", "status",
    ]  # fmt: skip
    lines = [markdown_row(header), markdown_row(["---"] * len(header))]
    for row in rows:
        measured = row["measured"] or {}
        lines.append(
            markdown_row(
                [
                    row["dataset"],
                    row["model"].replace("*", r"\*"),
                    str(row["layers"]),
                    row["architecture"],
                    f"{row['parameters']:,}",
                    " / ".join(f"{row['published'][part]:.1f}" for part in PUBLISHED),
                    " / ".join(_percent(measured.get(part)) for part in PUBLISHED),
                    _range(measured.get("intervals", {}).get("test")),
                    _percent(measured.get("test_clean")),
                    measured.get("run", "-"),
                    epochs_in_words(measured) or "-",
                    f"{seen:,}" if (seen := _all_faces(measured)) else "-",
                    str(measured.get("faces_per_second") or "-"),
                    str(measured.get("date") or "-")[:10],
                    _status(row, code="`"),
                ]
            )
        )
    return "\n".join(lines) + "\n"


def as_latex(rows: Sequence[dict[str, Any]]) -> str:
    """A booktabs table; needs the package booktabs."""
    lines = [
        r"\begin{tabular}{llrlrrrrrrrl}",
        r"\toprule",
        r" & & & & & \multicolumn{3}{c}{published \%} & \multicolumn{3}{c}{measured \%} & \\",
        r"data & model & layers & architecture & parameters & train & test & valid & train & test"
        r" & valid & run \\",
        r"\midrule",
    ]
    before = rows[0]["dataset"] if rows else ""
    for row in rows:
        if row["dataset"] != before:
            lines.append(r"\midrule")
            before = row["dataset"]
        measured = row["measured"] or {}
        cells = [row["dataset"], row["model"], str(row["layers"]), row["architecture"]]
        cells = [*map(latex_cell, cells), str(row["parameters"])]
        cells += [f"{row['published'][part]:.1f}" for part in PUBLISHED]
        cells += [_latex_figure(measured, part) for part in PUBLISHED]
        cells.append(latex_cell(str(measured.get("run", row["status"]))))
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def figure1(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The bars of Figure 1: RAF-DB test accuracies, published and ours.

    Args:
        rows: What `table2` gave.

    Returns:
        A bar each: label, published %, measured % or None, interval [low, high] or None, run,
        epochs on RAF-DB with those before it (0 where unknown), and these in words.
    """
    bars = []
    for row in rows:
        if row["dataset"] != "RAF-DB":
            continue
        measured = row["measured"] or {}
        bars.append(
            {
                "label": row_label(row),
                "published": row["published"]["test"],
                "measured": measured.get("test"),
                "interval": measured.get("intervals", {}).get("test"),
                "run": measured.get("run"),
                "epochs": sum(all_epochs(measured)),
                "epochs_in_words": epochs_in_words(measured),
            }
        )
    return bars


def row_label(row: Mapping[str, Any]) -> str:
    """Model, layers and flags of a row; layers only where the model's name does not tell them."""
    layers, model = str(row["layers"]), str(row["model"])
    parts = (model, "" if layers in model else layers, row["architecture"])
    return " ".join(part for part in parts if part)


def all_epochs(measured: Mapping[str, Any]) -> list[int]:
    """Epochs of a measured row on its data: of the runs it went on from, and its own as the last.

    Runs on other data are left out, and those of which nothing is known.
    """
    before = [one["epochs"] or 0 for one in measured.get("earlier", []) if one["same_data"]]
    return [*filter(None, before), measured.get("epochs") or 0]


def _all_faces(measured: Mapping[str, Any]) -> int:
    """Pictures seen in all these epochs, each as often as it was; 0 where that is not known."""
    own, epochs = measured.get("faces_seen") or 0, measured.get("epochs") or 0
    return round(own / epochs * sum(all_epochs(measured))) if epochs else int(own)


def epochs_in_words(measured: Mapping[str, Any]) -> str:
    """The epochs of a measured row as a sum, "3 + 2"; "at least" where some are not known.

    Of more than three runs the sum alone, "144 in 5 runs". Empty where not even its own are known.
    """
    *before, own = all_epochs(measured)
    if not own:
        return ""
    is_whole = all(one["epochs"] for one in measured.get("earlier", []))
    parts = (*before, own)
    many = f"{sum(parts)} in {len(parts)} runs"
    words = many if len(parts) > _MOST_PARTS else " + ".join(map(str, parts))
    return words if is_whole else f"at least {words}"


def _latex_figure(measured: dict[str, Any], part: str) -> str:
    """An accuracy with its interval in small print, or a dash."""
    value = measured.get(part)
    if value is None:
        return "--"
    low, high = measured["intervals"][part]
    return rf"{value:.2f} {{\scriptsize [{low:.1f}, {high:.1f}]}}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _range(ends: Sequence[float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f}"


def _status(row: dict[str, Any], code: str) -> str:
    if row["status"] == "measured" or not row["command"]:
        return str(row["status"])
    return f"{row['status']}: {code}{row['command']}{code}"
