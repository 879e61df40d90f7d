"""The command that measures speed: bench."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.terminal import JsonFile, put_json


def bench(
    only: Annotated[list[str] | None, typer.Option("--only", help="Names to measure.")] = None,
    json_file: JsonFile = None,
    checkpoint: Annotated[str, typer.Option("--checkpoint", help="Checkpoint to use.")] = "default",
) -> None:
    """Measure speed beside a plain way of doing the same, in one run."""
    from core.bench import BENCHES
    from core.checkpoints import find_checkpoint

    folder = find_checkpoint(checkpoint)
    results = {}
    for name in only or list(BENCHES):
        result = BENCHES[name](folder)
        results[name] = result.to_json()
        typer.echo(
            f"{name:<10} ours {result.ours:9.2f}  baseline {result.baseline:9.2f} {result.unit:<8} "
            f"ratio {result.ratio:6.2f}  {result.note}",
            err=json_file == Path("-"),
        )
    if json_file is not None:
        put_json(json_file, results)
