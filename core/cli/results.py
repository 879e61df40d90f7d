"""Verbs about results: `evaluate`, `compare`, `strata`, `framing` and `table2`."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.checkpoints import find_checkpoint
from core.cli.terminal import JsonFile, Split, console, counting_bar, put_json, writable_folder
from core.labels import EMOTIONS


def evaluate(
    run: Annotated[str, typer.Argument(help="A run's name or folder, or `default`.")],
    split: Annotated[
        Split,
        typer.Option(
            help="What to show: the published test, the same without twins of train images, clean "
            "validation, the published validation, or train."
        ),
    ] = Split.TEST,
    data: Annotated[
        Path | None,
        typer.Option(help="Prepared data to use alone; else the run's own below the data root."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            callback=writable_folder,
            help="Folder for predictions.npz and report.json; else the run's, or for other data "
            "than its own one named after them.",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Predict the training part as well (slow).")
    ] = False,
    six: Annotated[
        bool,
        typer.Option("--six", help="Of a network with neutral: its answers between the six alone."),
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """Measure a run on test and validation; write its predictions.npz and report.json."""
    from core.evaluation import answer, evaluate_run, mismatches

    folder = find_checkpoint(run)
    with counting_bar("Predicting") as show:
        kept: list[Path] = []
        report = evaluate_run(
            folder,
            data,
            out=out,
            train=train or split is Split.TRAIN,
            on_progress=show,
            on_kept=kept.append,
        )
    if kept != [folder]:
        typer.echo(f"Predictions and report are kept in {kept[0]}.", err=True)
    for sentence in mismatches(report):
        typer.echo(sentence, err=True)
    found = answer(report, split.value, six=six)
    if not put_json(json_file, found):
        _print_figures(console(), found)


def framing(
    run: Annotated[str, typer.Argument(help="A run's name or folder, or `default`.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Prepared data to use; else the run's own below the data root."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Compare clean validation faces as published and as the app cuts faces out of photos."""
    from core.evaluation import framing_scores
    from core.predict import Predictor

    predictor = Predictor.load(find_checkpoint(run))
    with counting_bar("Predicting") as show:
        scores = framing_scores(predictor, data, on_progress=show)
    values = [asdict(score) for score in scores]
    if put_json(json_file, values):
        return
    table = Table("source", "faces", "framing", "accuracy %", "95 % interval", "macro-F1 %")
    for score in scores:
        framed = "published" if score.margin is None else f"app {score.margin:+.0%}"
        low, high = score.accuracy_interval
        table.add_row(
            score.source, str(score.n), framed, f"{100 * score.accuracy:.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}", f"{100 * score.macro_f1:.1f}",
        )  # fmt: skip
    console().print(table)


class Condition(StrEnum):
    """What faces can be parted by without a list."""

    STRATUM = "stratum"
    HEAD_TURN = "head_turn"
    SHARPNESS = "sharpness"


def strata(
    run: Annotated[str, typer.Argument(help="A run's name or folder, or `default`.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="A CSV with a column of picture names and one of strata."),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The column of strata; else the one of that name, or left.")
    ] = None,
    by: Annotated[
        list[Condition] | None,
        typer.Option(
            help="Without a list, or besides one: the data's own strata, head turn estimated from "
            "landmarks, or sharpness; may be repeated. Without either, all that apply."
        ),
    ] = None,
    split: Annotated[Split, typer.Option(help="Which faces.")] = Split.TEST,
    data: Annotated[
        Path | None, typer.Option(help="Prepared data to use; else the run's own.")
    ] = None,
    faces: Annotated[
        int,
        typer.Option(
            min=0,
            help="Also measure how faithful the recommended map is, on so many faces a stratum.",
        ),
    ] = 0,
    json_file: JsonFile = None,
) -> None:
    """Part a run's results by a condition: accuracy, unclear answers, faithful maps by stratum.

    Computed from the predictions that `evaluate` keeps; only --faces asks the network. The figures
    are kept beside the report, where the results page shows them.
    """
    from core.evaluation import measure_strata
    from core.faithfulness import measure_groups

    if column is not None and file is None:
        raise typer.BadParameter("--column names a column of a list; name the file of the list.")
    folder = find_checkpoint(run)
    kept: list[Path] = []
    with counting_bar("Landmarks") as fitting, counting_bar("Explaining") as bar:

        def explaining(groups: Any) -> dict[str, Any]:  # noqa: ANN401 - as measure_groups takes
            return measure_groups(
                folder, groups, faces=faces, on_progress=lambda done, total, _: bar(done, total)
            )

        found = measure_strata(
            folder,
            file,
            column=column,
            by=[one.value for one in by or ()],
            split=split.value,
            data=data,
            explaining=explaining if faces else None,
            on_progress=fitting,
            on_kept=kept.append,
        )
    typer.echo(f"The figures are kept in {kept[0]}.", err=True)
    if put_json(json_file, found):
        return
    for one in found["groupings"]:
        console().print(_strata_table(found, one))
        for note in one["notes"]:
            typer.echo(note)


def _strata_table(found: dict[str, Any], grouping: dict[str, Any]) -> Table:
    """A line a stratum of each image set."""
    from core.evaluation import FEW, strata_rows

    explained = "method" in grouping
    table = Table(
        title=f"{found['checkpoint']}, {grouping['split']}, by {grouping['name']}",
        caption=f"{grouping['about']}; in %, with 95 % intervals; the rest is every other face of "
        "the image set, expected what its recalls give for the stratum's mix of expressions, "
        f"answered is a confidence of {100 * found['threshold']:.1f} or more"
        + (f"; gap is insertion minus deletion of {grouping['method']}" if explained else ""),
    )
    headings = ["images", "stratum", "faces", "right", "less the rest", "expected"]
    headings += ["macro-F1", "answered", "of them right"]
    headings += [*(("gap", "ahead of controls") if explained else ())]
    for heading in headings:
        table.add_column(heading)
    for row in strata_rows(grouping):
        few = " (few)" if row["faces"] < FEW else ""
        expected, sure = (
            "-" if row[name] is None else f"{100 * row[name]:.1f}"
            for name in ("expected", "accuracy_answered")
        )
        cells = [
            row["images"], row["stratum"] or "(in none)", f"{row['faces']:,}{few}",
            _with_ends(row, "accuracy"), _with_ends(row, "difference", "+"),
            expected, _with_ends(row, "macro_f1"), _with_ends(row, "coverage"), sure,
        ]  # fmt: skip
        if explained:
            cells += [_with_ends(row, name, "+", 1, 3) for name in ("gap", "lead")]
        table.add_row(*cells)
    return table


def _with_ends(
    row: dict[str, Any], name: str, sign: str = "", unit: int = 100, digits: int = 1
) -> str:
    """A figure and below it its interval; "-" for what is not known."""
    values = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    text, low, high = ("" if one is None else f"{unit * one:{sign}.{digits}f}" for one in values)
    return f"{text}\n{low} to {high}" if text and low else text or "-"


def compare(
    first: Annotated[str, typer.Argument(help="A run's name or folder, or `default`.")],
    second: Annotated[str, typer.Argument(help="Another.")],
    split: Annotated[Split, typer.Option(help="The images, as for `evaluate`.")] = Split.TEST_CLEAN,
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source", help="Only images of this source; may be repeated. Else the first run's."
        ),
    ] = None,
    data: Annotated[str, typer.Option(help="Name of other data that both were evaluated on.")] = "",
    six: Annotated[
        bool, typer.Option("--six", help="Choose between the paper's six classes alone.")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """Compare two evaluated runs on the images that both answered (exact McNemar test)."""
    from core.checkpoints import list_run_folders, title_of
    from core.data import source_names
    from core.evaluation import (
        SIX,
        Predictions,
        load_report,
        mcnemar,
        measured_place,
        shared_classes,
    )

    known = {folder.name: folder for folder in list_run_folders()}  # also those without weights
    folders = [known.get(name) or find_checkpoint(name) for name in (first, second)]
    places = [measured_place(folder, data) for folder in folders]
    stored = [Predictions.load(place) for place in places]
    classes = shared_classes([one.labels for one in stored], six=six)
    report = load_report(places[0], whole=True)
    part = report[SIX] if SIX in report and set(classes) <= set(EMOTIONS) else report
    chosen = sources or part["splits"].get(split.value, {}).get("sources")
    found = mcnemar(*(one.among(classes).of_split(split.value, chosen) for one in stored))
    runs = [folder.name for folder in folders]
    facts = {"runs": runs, "split": split.value, "sources": chosen, "classes": list(classes)}
    figures = facts | asdict(found) | {"difference": found.difference}
    if not put_json(json_file, figures):
        verdict, details = found.in_words(*(title_of(folder) for folder in folders))
        pictures = f"{split.value} of {source_names(chosen)}" if chosen else split.value
        typer.echo(f"{pictures}, {len(classes)} classes. {verdict}{details}")


class Format(StrEnum):
    """How Table 2 is printed."""

    MARKDOWN = "md"
    CSV = "csv"
    LATEX = "latex"
    JSON = "json"


def table2(
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.MARKDOWN,
    preliminary: Annotated[
        bool, typer.Option("--preliminary", help="The preliminary report's table instead.")
    ] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="The commands that would complete it instead.")
    ] = False,
) -> None:
    """Print the paper's Table 2 with our measurements beside it, computed from predictions."""
    from core.evaluation import exported, missing_runs, table2

    rows = table2(part="preliminary" if preliminary else "table_2")
    if missing:
        typer.echo("\n".join(missing_runs(rows)) or "Every row is measured under its budget.")
        return
    typer.echo(exported(rows, form.value), nl=False)


def _print_figures(place: Console, found: dict[str, Any]) -> None:
    """A table of the figures with their intervals, one of the classes, one of the sources."""
    place.print(
        f"[bold]{found['checkpoint']}[/bold] on {found['about']} of {', '.join(found['sources'])}: "
        f"{found['n']} images"
    )
    ranges = found["intervals"]
    overall = Table("figure", "value", "95 % interval")
    for name in ("accuracy", "macro_f1", "balanced_accuracy", "ece", "nll"):
        unit = 1.0 if name == "nll" else 100.0
        low, high = ranges[name]
        text = f"{found[name] * unit:.2f}" + ("" if name == "nll" else " %")
        overall.add_row(name, text, f"{low * unit:.2f} to {high * unit:.2f}")
    place.print(overall)
    classes = Table("class", "precision %", "recall %", "F1 %", "images")
    for label, one in found["per_class"].items():
        shares = (f"{100 * one[name]:.1f}" for name in ("precision", "recall", "f1"))
        classes.add_row(label, *shares, str(one["support"]))
    place.print(classes)
    if len(found["per_source"]) > 1:
        sources = Table("source", "images", "accuracy %", "macro-F1 %")
        for name, one in found["per_source"].items():
            sources.add_row(
                name, str(one["n"]), f"{100 * one['accuracy']:.1f}", f"{100 * one['macro_f1']:.1f}"
            )
        place.print(sources)
