"""Prepare a data set for the app: `python -m webapp.dataset_explorer.prepare_job NAME`.

What is to be done stands in the file about it, and how far it is goes there, too.
"""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from core.data import NameMap, prepare
from core.errors import CoreError
from core.process import ProcessId
from webapp.dataset_explorer.preparing import Preparation, read

logger = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two notes of progress
WORKERS = 2
UNEXPECTED = "An error that nobody foresaw; the log tells more."


def run(name: str) -> bool:
    """Do what the file about this data set asks for; whether it is done."""
    asked = read(name)
    if asked is None:
        logger.error("There is nothing to do for %s", name)
        return False
    job = replace(asked, **ProcessId.of().fields())
    job.save()
    try:
        prepare(
            job.sources,
            job.target,
            class_set=job.class_set,
            workers=WORKERS,
            progress=_noting(job),
            frame_step=job.frame_step,
            names=NameMap.parse(job.class_map, job.split_map),
        )
    except CoreError as error:
        replace(job, state="failed", message=" ".join(str(error).split())).save()
        return False
    except Exception:
        logger.exception("Preparation of %s failed", name)
        replace(job, state="failed", message=UNEXPECTED).save()
        return False
    replace(job, state="finished").save()
    return True


def _noting(job: Preparation) -> Callable[[int, int, str], None]:
    """A function that keeps the progress, at most every EVERY seconds of the same work."""
    noted: dict[str, float] = {}

    def note(done: int, total: int, doing: str) -> None:
        now = time.monotonic()
        if now - noted.get(doing, -EVERY) < EVERY:
            return
        noted[doing] = now
        replace(job, done=done, total=total, doing=doing).save()

    return note


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    sys.exit(not run(sys.argv[1]))
