"""Commands that use trained weights: classify, explain, models, export, quantise, import."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import (
    JsonFile,
    counting_bar,
    file_ending_in,
    put_json,
    refuse_beside,
    writable_folder,
)

WAYS, PLACES = ("auto", "exact", "int8", "torch"), ("ray", "processes", "here")  # of --engine

CheckpointOption = Annotated[
    str, typer.Option("--checkpoint", help="Run name, folder, or `default`.")
]


def _scores_file(out: str) -> str:
    """Let the place of scores pass where one can be written; an address is looked at later."""
    if "://" not in out:
        file_ending_in(".csv", ".parquet")(Path(out))
    elif not out.endswith(".parquet"):
        raise typer.BadParameter(f"{out} is an address; expected one that ends in .parquet.")
    return out


def classify(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders searched through.")],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            help="CSV or .parquet file to write; or an address such as s3://bucket/scores.parquet, "
            "where a folder of Parquet files is left.",
            callback=_scores_file,
        ),
    ],
    checkpoint: CheckpointOption = "default",
    faces: Annotated[
        str,
        typer.Option(
            "--faces",
            help="auto: the largest face, else the picture itself where it can be a cut-out face; "
            "`whole`: the picture itself, without a look; `detect`: the largest face, else the "
            "picture itself whatever its size.",
        ),
    ] = "auto",
    all_faces: Annotated[
        bool, typer.Option("--all-faces", help="A row for every face, with its box.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="What computes: auto, exact, int8 or torch. And where: `ray` on a cluster (that "
            "of RAY_ADDRESS), `processes` or `here`, which is else chosen. Both: ray,exact.",
        ),
    ] = "auto",
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Processes; 0 for one a core.")
    ] = 0,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Drop parts beside --out, and what an address holds.",
        ),
    ] = False,
) -> None:
    """Score every file: its probabilities, the answer, and a status for whatever went wrong.

    A run that was interrupted goes on where it stopped: give the same command again. The exit code
    is 1 where no file could be read.
    """
    from core.batch_inference import Request, score_all
    from core.errors import ImageError

    _check_faces(faces, ("auto", "whole", "detect"))
    if all_faces and faces == "whole":
        raise typer.BadParameter(
            "--all-faces cannot apply beside --faces whole: none is looked for."
        )
    where, computes = _engines(engine)
    suffix = ".parquet" if out.lower().endswith(".parquet") else ".csv"
    request = Request(checkpoint, computes, faces, all_faces, suffix)  # type: ignore[arg-type]
    with counting_bar("Classifying") as show:
        total = [0]

        def listed(files: int, kept: int) -> None:
            total[0] = files
            if kept:
                typer.echo(f"Going on: {kept:,} of {files:,} files are done.", err=True)
            show(kept, files)

        found = score_all(
            paths, out, request, cluster=where, workers=workers, restart=restart,  # type: ignore[arg-type]
            on_listed=listed, on_progress=lambda done: show(done, total[0]),
        )  # fmt: skip
    counts = found.counts
    if found.damaged:
        typer.echo(f"{found.damaged} damaged parts of the interrupted run were done again.")
    typer.echo(
        f"{found.files} files: {counts['ok']} {'faces ' if all_faces else ''}scored, "
        f"{counts['no_face']} without a face found, {counts['unreadable']} unreadable. "
        f"Written to {out}."
    )
    if counts["no_face"] and faces == "auto":
        typer.echo("Where files are cut-out faces already, --faces whole scores them as they are.")
    if counts["more"]:
        typer.echo(
            f"In {counts['more']} of them more than one face was found, and the largest scored; "
            "--all-faces gives a row for each."
        )
    if counts["turned"]:
        typer.echo(f"{counts['turned']} rows are of pictures that lay on their side.")
    if not counts["ok"] + counts["no_face"]:
        raise ImageError(
            "Nothing was scored: none of what was given is a picture that can be read. What each "
            "file is, and what to do with it, stands in the column `error`."
        )


def _engines(engine: str) -> tuple[str, str]:
    """Where to compute and what computes, out of one option."""
    words = [word.strip() for word in engine.split(",")]
    where = [word for word in words if word in PLACES]
    computes = [word for word in words if word not in where]
    for word in computes:
        if word not in WAYS:
            raise typer.BadParameter(
                f"--engine names {word!r}; expected one of {', '.join(WAYS)}, one of "
                f"{', '.join(PLACES)}, or one of each, as ray,exact."
            )
    if len(where) > 1 or len(computes) > 1:
        raise typer.BadParameter(
            f"--engine is {engine!r}; expected one place and one way, at most."
        )
    return (*where, "auto")[0], (*computes, "auto")[0]


def _check_faces(faces: str, known: tuple[str, ...]) -> None:
    if faces not in known:
        words = f"{', '.join(known[:-1])} or {known[-1]}"
        raise typer.BadParameter(f"--faces is {faces!r}; expected {words}.")


def explain(
    image: Annotated[Path, typer.Argument(help="A picture.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder for pictures and explanation.json.", callback=writable_folder
        ),
    ],
    checkpoint: CheckpointOption = "default",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="Explanation method; `recommended` takes the one that was measured best.",
        ),
    ] = "recommended",
    target: Annotated[
        str, typer.Option("--target", help="An expression, `predicted`, or `all`.")
    ] = "predicted",
    faces: Annotated[str, typer.Option("--faces", help="auto (or detect) or whole.")] = "auto",
) -> None:
    """Explain every face of a picture: overlays as PNG and explanation.json."""
    from core.explained import explain_file

    _check_faces(faces, ("auto", "whole", "detect"))
    result = explain_file(
        image, out, checkpoint=checkpoint, method=method, target=target, whole=faces == "whole"
    )
    for note in result.notes:
        typer.echo(note)
    if result.faces:
        typer.echo(f"{len(result.faces)} face(s) explained. Written to {out}.")
    else:
        typer.echo(f"Nothing is explained; --faces whole does without finding. Written to {out}.")


def models(
    context: typer.Context,
    json_file: JsonFile = None,
    summary: Annotated[
        str | None, typer.Option("--summary", help="Print the layers of one model.")
    ] = None,
) -> None:
    """List the networks: layers, architecture, exact parameter counts."""
    from core.models import MODELS, describe, summary_text

    if summary is not None:
        refuse_beside(context, "--summary", "prints the layers of one network", "summary")
        typer.echo(summary_text(summary))
        return
    rows = [describe(name) for name in MODELS]
    keys = ("name", "layers", "architecture", "parameters")
    if json_file is not None:
        put_json(json_file, [{key: row[key] for key in keys} for row in rows])
    for row in rows if json_file != Path("-") else ():
        layers = "-" if row["layers"] is None else row["layers"]
        typer.echo(
            f"{row['name']:<18} {layers:>3}  {row['architecture']:<21} {row['parameters']:>11,}"
        )


def export(
    run: Annotated[str, typer.Argument(help="Run name, folder, or `default`.")],
    onnx: Annotated[
        Path,
        typer.Option("--onnx", help="ONNX file to write.", callback=file_ending_in(".onnx")),
    ],
    maps: Annotated[
        bool, typer.Option("--maps/--no-maps", help="Also give a map of every expression.")
    ] = True,
) -> None:
    """Write an ONNX file: pixels in, logits and maps out (Expected CAM, else Grad-CAM).

    An imported network that gives no map in the same pass is written without. What its users need
    besides, the JSON that is printed, stands in the file's properties as well.
    """
    from core.checkpoints import find_checkpoint
    from core.explain import EXPLAINERS, fast_methods, load_explained, with_maps
    from core.inference import export_onnx

    model, card = load_explained(find_checkpoint(run))
    method = next(iter(fast_methods(model)), None) if maps else None
    onnx.parent.mkdir(parents=True, exist_ok=True)
    network = model if method is None else with_maps(model, method)
    spec = card.preprocess
    needed = {
        "labels": card.labels,
        "temperature": card.temperature,
        "threshold": card.threshold,
        "preprocess": spec.to_json(),
    }
    said = {name: json.dumps(value) for name, value in needed.items()}
    export_onnx(network, spec, onnx, maps=method is not None, said=said)
    out = "" if method is None else f" and a map of each by {EXPLAINERS[method].title}"
    why = " No method gives maps of this network in the same pass." if maps and not out else ""
    typer.echo(  # on stderr, so that the output stays JSON
        f"The network {run}, as an ONNX file: {spec.size} x {spec.size} "
        f"{'colour' if spec.colour else 'grey'} pixels go in, scores of {len(card.labels)} "
        f"expressions{out} come out.{why} Written to {onnx}. Below, what its users need, as JSON.",
        err=True,
    )
    typer.echo(json.dumps({"file": str(onnx), "maps": method, **needed}))


def quantise(
    run: Annotated[str, typer.Argument(help="Run name, folder, or `default`.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Prepared data to use; else the run's own below the data root."),
    ] = None,
) -> None:
    """Let a run's scores be computed in 8 bits, where clean validation allows it."""
    from core.checkpoints import find_checkpoint
    from core.evaluation import measure_quantisation

    found = measure_quantisation(find_checkpoint(run), data)
    verdict = (
        "From now on 8 bits are used" if found.holds else "That is too much, float32 stays in use"
    )
    typer.echo(
        f"Accuracy on {found.faces:,} clean validation faces: {100 * found.accuracy_exact:.2f} % "
        f"in float32, {100 * found.accuracy_int8:.2f} % in 8 bits; the same answer for "
        f"{100 * found.agreement:.1f} %. {verdict}."
    )


def import_network(
    weights: Annotated[Path, typer.Argument(help="State dict: .safetensors, or from torch.save.")],
    model: Annotated[
        str | None,
        typer.Option("--model", help="Its network, as torchvision:resnet18, timm:NAME, gimefive."),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="What the outputs mean, in their order: anger,happy,contempt=skip,..."),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the input in pixels; else the usual one of the network."),
    ] = None,
    mean: Annotated[str | None, typer.Option(help="0 to 1, a channel; else ImageNet's.")] = None,
    std: Annotated[str | None, typer.Option(help="0 to 1, a channel; else ImageNet's.")] = None,
    grey: Annotated[
        bool | None, typer.Option("--grey/--rgb", help="Whether pictures are made grey.")
    ] = None,
    card: Annotated[
        Path | None, typer.Option(help="JSON that says the same: model, classes, size, mean, ...")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the checkpoint; else the file's.")] = None,
) -> None:
    """Make a checkpoint of a classifier of one's own, for every page, method and test."""
    from core.errors import ConfigError
    from core.files import read_object
    from core.models import import_weights, read_description
    from core.paths import run_root
    from core.training import RunFolder

    values = {} if card is None else read_object(card)
    if card is not None and not values:
        raise ConfigError(f"{card} holds no JSON object; expected model, classes and the like.")
    if classes is not None:
        values["classes"] = classes.split(",")
    said = {"model": model, "size": size, "grey": grey}
    values |= {key: value for key, value in said.items() if value is not None}
    for key, text in (("mean", mean), ("std", std)):
        if text is not None:
            values[key] = text.split(",")
    folder = RunFolder.unused(run_root(), name or weights.stem.replace(" ", "-"))
    made = import_weights(weights, read_description(values), folder.path)
    spec = made.preprocess
    numbers = [", ".join(f"{one:g}" for one in values) for values in (spec.mean, spec.std)]
    typer.echo(
        f"{folder.name}: {made.model} with {len(made.labels)} classes ({', '.join(made.labels)}), "
        f"{spec.size} x {spec.size} pixels {'in colour' if spec.colour else 'grey'}, mean "
        f"{numbers[0]}, deviation {numbers[1]}. If it was trained on other input, say so with "
        f"--size, --mean, --std, --grey or --rgb. Written to {folder.path}."
    )
