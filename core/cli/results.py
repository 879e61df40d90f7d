"""Verbs about results: `evaluate`, `framing` and `table2`."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from core.checkpoints import find_checkpoint
from core.cli.terminal import JsonFile, counting_bar, put_json, writable_folder


class Split(StrEnum):
    """Parts a run can be evaluated on."""

    TEST = "test"
    TEST_CLEAN = "test_clean"
    VALID = "valid"
    PUBLISHED_VALID = "published_valid"
    TRAIN = "train"


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
    json_file: JsonFile = None,
) -> None:
    """Measure a run on test and validation; write its predictions.npz and report.json."""
    from core.evaluation import answer, evaluate_run

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
    found = answer(report, split.value)
    if json_file == Path("-"):
        put_json(json_file, found)
        return
    if json_file is not None:
        put_json(json_file, found)
    _print_figures(Console(), found)


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
    if json_file == Path("-"):
        put_json(json_file, values)
        return
    table = Table("source", "faces", "framing", "accuracy %", "95 % interval", "macro-F1 %")
    for score in scores:
        framed = "published" if score.margin is None else f"app {score.margin:+.0%}"
        low, high = score.accuracy_interval
        table.add_row(
            score.source, str(score.n), framed, f"{100 * score.accuracy:.1f}",
            f"{100 * low:.1f} to {100 * high:.1f}", f"{100 * score.macro_f1:.1f}",
        )  # fmt: skip
    Console().print(table)
    if json_file is not None:
        put_json(json_file, values)


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
) -> None:
    """Print the paper's Table 2 with our measurements beside it, computed from predictions."""
    from core.evaluation import exported, table2

    rows = table2(part="preliminary" if preliminary else "table_2")
    typer.echo(exported(rows, form.value), nl=False)


def _print_figures(console: Console, found: dict[str, Any]) -> None:
    """A table of the figures with their intervals, one of the classes, one of the sources."""
    console.print(
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
    console.print(overall)
    classes = Table("class", "precision %", "recall %", "F1 %", "images")
    for label, one in found["per_class"].items():
        shares = (f"{100 * one[name]:.1f}" for name in ("precision", "recall", "f1"))
        classes.add_row(label, *shares, str(one["support"]))
    console.print(classes)
    if len(found["per_source"]) > 1:
        sources = Table("source", "images", "accuracy %", "macro-F1 %")
        for name, one in found["per_source"].items():
            sources.add_row(
                name, str(one["n"]), f"{100 * one['accuracy']:.1f}", f"{100 * one['macro_f1']:.1f}"
            )
        console.print(sources)
