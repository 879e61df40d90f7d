"""The command that searches for good settings: tune."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.terminal import progress_bar, refuse_beside
from core.cli.training import changes, configuration


def tune(
    context: typer.Context,
    space: Annotated[
        str | None,
        typer.Argument(metavar="SPACE", help="`table3` (the paper's), `recipe`, or a JSON file."),
    ] = None,
    sampler: Annotated[str, typer.Option("--sampler", help="grid, random, tpe or nsga2.")] = "tpe",
    trials: Annotated[int, typer.Option("--trials", help="Runs in all.")] = 30,
    pruner: Annotated[str, typer.Option("--pruner", help="median, hyperband or none.")] = "median",
    goal: Annotated[
        str, typer.Option("--goal", help="valid_accuracy or valid_macro_f1.")
    ] = "valid_accuracy",
    base: Annotated[
        str, typer.Option("--base", help="Preset or JSON file with all other settings.")
    ] = "rafdb-gimefive-paper",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value of the base; takes the key out of the space."),
    ] = None,
    storage: Annotated[
        str,
        typer.Option("--storage", help="Optuna storage URL shared by several machines."),
    ] = "",
    run: Annotated[str | None, typer.Option("--run", help="Name of the search's folder.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the search of this name.")
    ] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Put it into the queue instead of starting it.")
    ] = False,
    queued: Annotated[
        bool, typer.Option("--queued", hidden=True, help="The queue has started this.")
    ] = False,
) -> None:
    """Search for good settings; its folder holds the trials and can be resumed."""
    from core.errors import ConfigError
    from core.paths import run_root
    from core.training import (
        RunFolder,
        Search,
        add_search,
        check_accelerator,
        find_space,
        run_search,
    )

    if resume:
        why = "goes on with the search as it was begun"
        # Without a name, the space gives it.
        kept = ("resume", "run", "queued", *(() if run else ("space",)))
        refuse_beside(context, "--resume", why, *kept)
    name = run or f"search-{Path(space or '').stem}"
    folder = RunFolder.named(run_root(), name)
    if queued:
        folder.set_status("running", "Starting.")
    if not resume:
        if space is None:
            raise ConfigError("Nothing to search was named. Give table3, recipe or a JSON file.")
        given = changes(settings)
        varied = {key: one for key, one in find_space(space).items() if key not in given}
        search = Search(
            varied,
            configuration(base).with_settings(given),
            sampler=sampler,  # type: ignore[arg-type]  # checked inside
            trials=trials,
            pruner=pruner,  # type: ignore[arg-type]
            goal=goal,  # type: ignore[arg-type]
            storage=storage,
        )
        if queue:
            add_search(run_root(), name, search)
            typer.echo(f"{name} is queued. Start the queue with: python -m core queue run")
            return
        if folder.path.exists():
            raise ConfigError(
                f"A run or search named {name!r} exists. Add --resume to go on with it, or choose "
                "another name with --run."
            )
        check_accelerator(search.base)
        search.save(folder)
    elif not queued:
        folder.stop_request.unlink(missing_ok=True)
    with progress_bar(name, 100) as advance:

        def show(progress: dict[str, Any]) -> None:
            advance(100 * progress["share"])

        state = run_search(folder, on_progress=show)
    best = folder.progress().get("best")
    result = f", best {best:.4f}" if best is not None else ""
    typer.echo(f"{name}: {state}{result}. Folder {folder.path}.")
