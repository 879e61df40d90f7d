"""The command line: one thin function a verb, in one module a group."""

import os
import sys
from typing import cast

import typer

from core.cli import (
    data,
    inference,
    measure,
    queue,
    results,
    training,
    video,
)
from core.errors import CoreError, refusal, sentence_of

# Typer from 0.26 on carries its own copy of click, so click's errors are reached through typer:
# BadParameter -> UsageError -> ClickException.
ClickException = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    name="core",
    help="GiMEFiVE Studio: data, training, results and explanations from the command line.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for function in (
    data.prepare,
    data.audit,
    data.mislabelled,
    data.frame,
    training.train,
    training.tune,
    results.evaluate,
    results.compare,
    results.strata,
    results.framing,
    results.table2,
    inference.classify,
    inference.explain,
    inference.models,
    inference.export,
    inference.quantise,
    inference.import_network,
    measure.faithfulness,
    measure.global_view,
    measure.bench,
    video.video,
):
    app.command(function.__name__.removesuffix("_network").replace("_", "-"))(function)

app.add_typer(queue.app, name="queue")


def main() -> None:
    """Run a command; an expected error is one line on stderr and exit code 1.

    A reader of the output who has seen enough, as `head`, is no error.
    """
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in a buffer is written once more at the end, and must go somewhere.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        sys.exit(0)
    except CoreError as error:
        print(f"Error: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except ClickException as error:
        print(f"Error: {' '.join(error.format_message().split())}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        print("Stopped.", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except Exception as error:
        cause = refusal(error)
        if cause is None:
            raise
        print(f"Error: {' '.join(sentence_of(cause).split())}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
