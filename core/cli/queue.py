"""Commands on runs that wait for their turn: queue add, run, list, stop."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.training import changes, configuration
from core.errors import CoreError, sentence_of

if TYPE_CHECKING:
    from core.training import RunFolder

app = typer.Typer(
    help="Runs that wait for their turn: one process works on them, and outlives the terminal.",
    no_args_is_help=True,
)


@app.command()
def add(
    preset_or_file: Annotated[
        str, typer.Argument(metavar="PRESET|CONFIG.json", help="What to train.")
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, as often as needed.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", help="Name of the run's folder.")] = None,
    evaluate: Annotated[
        bool, typer.Option(help="Measure it on its test part once it has finished.")
    ] = True,
) -> None:
    """Put a run at the end of the queue; `queue run` works on it."""
    from core.paths import run_root
    from core.training import add_run

    config = configuration(preset_or_file).with_settings(changes(settings))
    name = run or preset_or_file.rpartition("/")[2].removesuffix(".json")
    folder = add_run(run_root(), name, config, evaluate=evaluate)
    typer.echo(f"{folder.name} is queued. Start the queue with: python -m core queue run")


@app.command(name="run")
def run_queue(
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, max=64, help="Jobs at once on this machine.")
    ] = 1,
    stay: Annotated[
        bool, typer.Option("--stay", help="Wait for more jobs when none is left.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Work in the background and return at once.")
    ] = False,
) -> None:
    """Work on the queue until it is empty; runs whose process is gone are taken up again."""
    from core.paths import run_root
    from core.training import Worker, ensure_worker, work_until_told

    if detach:
        ensure_worker(run_root(), jobs=jobs, stay=stay)
        typer.echo("The queue is worked on in the background.")
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    work_until_told(Worker(run_root(), jobs=jobs, stay=stay))


@app.command(name="list")
def list_queue() -> None:
    """Show every run and search with its state."""
    from core.checkpoints import damage
    from core.paths import run_root
    from core.training import DAMAGED, WorkerLock, list_jobs, observe

    for folder in sorted(list_jobs(run_root()), key=lambda folder: observe(folder).since):
        observed = observe(folder)
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(observed.since))
        share = f"{folder.progress().get('share', 0):.0%}" if observed.state == "running" else ""
        reason = damage(folder.path)
        state = DAMAGED if reason else observed.state
        typer.echo(
            f"{folder.name:<40} {state:<11} {share:>4}  {since}  {reason or observed.reason}"
        )
    works = WorkerLock(run_root()).is_held()
    typer.echo("The queue is being worked on." if works else "Nobody works on the queue.")


@app.command()
def stop(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Runs to stop; none for the queue itself.")
    ] = None,
) -> None:
    """Stop runs at their next batch; or the queue, whose job goes on when it works again."""
    from core.paths import run_root
    from core.training import request_stop, stop_worker

    _each(runs or (), request_stop, "was asked to stop")
    if not runs:
        asked = stop_worker(run_root())
        typer.echo("The queue was asked to stop." if asked else "Nobody works on the queue.")


@app.command()
def remove(
    runs: Annotated[list[str], typer.Argument(help="Runs, searches or imported checkpoints.")],
) -> None:
    """Delete runs with all their files, also damaged ones; nothing is kept."""
    from core.training import delete_job

    _each(runs, delete_job, "was deleted")


def _each(runs: Sequence[str], act: Callable[["RunFolder"], None], done: str) -> None:
    """Do something with every run named, whatever becomes of the others.

    Raises:
        CoreError: It was refused for some; the sentences of all.
    """
    from core.paths import run_root
    from core.training import RunFolder

    refused = []
    for name in runs:
        try:
            act(RunFolder.named(run_root(), name))
        except (CoreError, OSError) as error:
            refused.append(str(error) if isinstance(error, CoreError) else sentence_of(error))
        else:
            typer.echo(f"{name} {done}.")
    if refused:
        raise CoreError(" ".join(refused))
