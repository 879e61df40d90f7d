"""The commands that train: train, and tune, which searches for settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.terminal import progress_bar, refuse_beside

if TYPE_CHECKING:
    from core.training import RunConfig


def train(
    context: typer.Context,
    preset_or_file: Annotated[
        str | None, typer.Argument(metavar="PRESET|CONFIG.json", help="What to train.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, as often as needed.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="Name of the run's folder.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run of this name.")
    ] = False,
    queued: Annotated[
        bool, typer.Option("--queued", hidden=True, help="The queue has started this.")
    ] = False,
    list_presets: Annotated[bool, typer.Option("--list", help="Print the presets.")] = False,
) -> None:
    """Train a network; the run's folder holds everything and can be resumed."""
    from core.errors import ConfigError
    from core.paths import is_first_process, run_root
    from core.training import RunFolder, preset_names

    if list_presets:
        refuse_beside(context, "--list", "only prints the presets", "list_presets")
        typer.echo("\n".join(preset_names()))
        return
    if preset_or_file is None and not (resume and run):
        raise ConfigError("Nothing to train was named. Give a preset or a configuration file.")
    name = run or _name_of(preset_or_file)
    folder = RunFolder.named(run_root(), name)
    if queued and not folder.claim.is_held():
        folder.set_status("running", "Starting.")
    if resume:
        if preset_or_file is not None and run is not None and not queued:
            typer.echo(
                f"{preset_or_file} is not read: with --resume {name} goes on with its own settings "
                "and those of --set.",
                err=True,
            )
        config = folder.config()
    else:
        # The other processes of a run start when the first has made the folder.
        if folder.is_taken and is_first_process():
            raise ConfigError(
                f"A run named {name!r} exists. Add --resume to go on with it, or choose another "
                "name with --run."
            )
        config = configuration(preset_or_file)
    config = config.with_settings(changes(settings))
    from core.training import check_accelerator, run_training  # load torch

    if not queued:  # the folder of a queued run is there already, and gets the reason
        check_accelerator(config)
    with progress_bar(name, 100) as advance:

        def show(progress: dict[str, Any]) -> None:
            advance(100 * progress["share"])

        state = run_training(
            config, folder, resume=resume, new=not resume, keep_stop=queued, on_progress=show
        )
    best = folder.kept()
    where = f"in epoch {best['epoch']}" if best.get("epoch") else "at its start"
    result = f", best validation accuracy {best['valid_accuracy']:.4f} {where}" if best else ""
    typer.echo(f"{name}: {state}{result}. Folder {folder.path}.")


def configuration(preset_or_file: str | None) -> "RunConfig":
    """The configuration of a preset, or of a JSON file.

    Raises:
        ConfigError: There is none.
    """
    from core.errors import ConfigError
    from core.shapes import ConfigFile
    from core.stored import read_shaped
    from core.training import RunConfig, preset

    if preset_or_file is None:
        raise ConfigError("Nothing to train was named. Give a preset or a configuration file.")
    path = Path(preset_or_file)
    if path.suffix != ".json":
        return preset(preset_or_file)
    try:
        return RunConfig.from_json(read_shaped(path, ConfigFile))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a configuration: {error}.") from error


def changes(settings: list[str] | None) -> dict[str, str]:
    """The pairs of `--set key=value`."""
    return dict(_pair(setting) for setting in settings or ())


def _name_of(preset_or_file: str | None) -> str:
    return Path(preset_or_file).stem if preset_or_file else ""


def _pair(setting: str) -> tuple[str, str]:
    key, separator, value = setting.partition("=")
    if not separator:
        raise typer.BadParameter(f"--set got {setting!r}; expected key=value.")
    return key.strip(), value.strip()


def tune(
    context: typer.Context,
    space: Annotated[
        str | None,
        typer.Argument(
            metavar="SPACE", help="`table3` (the paper's), `recipe` (for gimefive's), or JSON."
        ),
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
        typer.Option(
            "--storage",
            help="Optuna storage URL, or journal:///FILE on a shared disk, for several machines or "
            "processes; its password comes from GIMEFIVE_STORAGE_PASSWORD.",
        ),
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
    if resume and not (run or space):
        raise ConfigError("Name the search to go on with: --run NAME.")
    name = run or f"search-{Path(space or '').stem}"
    folder = RunFolder.named(run_root(), name)
    if queued and not folder.claim.is_held():
        folder.set_status("running", "Starting.")
    search = None
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
        if folder.is_taken:
            raise ConfigError(
                f"A run or search named {name!r} exists. Add --resume to go on with it, or choose "
                "another name with --run."
            )
        check_accelerator(search.base)
    elif not queued:
        folder.stop_request.unlink(missing_ok=True)
    with progress_bar(name, 100) as advance:

        def show(progress: dict[str, Any]) -> None:
            advance(100 * progress["share"])

        state = run_search(folder, search, on_progress=show)
    best = folder.progress().get("best")
    result = f", best {best:.4f}" if best is not None else ""
    typer.echo(f"{name}: {state}{result}. Folder {folder.path}.")
