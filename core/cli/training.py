"""Commands that train: train."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.progress import progress_bar


def train(
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
    list_presets: Annotated[bool, typer.Option("--list", help="Print the presets.")] = False,
) -> None:
    """Train a network; the run's folder holds everything and can be resumed."""
    from core.errors import ConfigError
    from core.paths import run_root
    from core.training import RunFolder, preset_names, run_training

    if list_presets:
        typer.echo("\n".join(preset_names()))
        return
    if preset_or_file is None and not (resume and run):
        raise ConfigError("Nothing to train was named. Give a preset or a configuration file.")
    name = run or _name_of(preset_or_file)
    folder = RunFolder.named(run_root(), name)
    if resume:
        config = folder.config()
    else:
        if folder.path.exists():
            raise ConfigError(
                f"A run named {name!r} exists. Add --resume to go on with it, or choose another "
                "name with --run."
            )
        config = _configuration(preset_or_file or "")
    config = config.with_settings(dict(_pair(setting) for setting in settings or ()))
    with progress_bar(name, 100) as advance:

        def show(progress: dict[str, Any]) -> None:
            advance(100 * progress["share"])

        state = run_training(config, folder, resume=resume, on_progress=show)
    best = max(folder.history(), key=lambda line: line["valid_accuracy"], default=None)
    result = f", best validation accuracy {best['valid_accuracy']:.4f}" if best else ""
    typer.echo(f"{name}: {state}{result}. Folder {folder.path}.")


def _name_of(preset_or_file: str | None) -> str:
    return Path(preset_or_file).stem if preset_or_file else ""


def _configuration(preset_or_file: str) -> Any:  # noqa: ANN401 - RunConfig, imported late
    from core.errors import ConfigError
    from core.training import RunConfig, preset

    path = Path(preset_or_file)
    if path.suffix != ".json":
        return preset(preset_or_file)
    try:
        return RunConfig.from_json(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a configuration: {error}.") from error


def _pair(setting: str) -> tuple[str, str]:
    key, separator, value = setting.partition("=")
    if not separator:
        raise typer.BadParameter(f"--set got {setting!r}; expected key=value.")
    return key.strip(), value.strip()
