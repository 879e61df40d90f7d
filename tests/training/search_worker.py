"""One of several processes of a search: `python search_worker.py RUN_ROOT SEARCH`.

Training is replaced by noting the settings in a file that all append to.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from striped_faces import stripes

from core.training import RunConfig, RunFolder, add_search
from core.training.batches import TrainingData
from core.training.tuning import run
from core.training.tuning.search import Search


def note(config: RunConfig, folder: RunFolder, **options: Any) -> str:  # noqa: ANN401
    """Stands for training: a goal that is known, in a time that lets processes meet."""
    folder.create(config)
    line = {"rate": config.learning_rate, "batch": config.batch_size, "trial": folder.name}
    with (ROOT.parent / "runs.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    time.sleep(0.05)
    value = min(0.9, config.learning_rate)
    metrics = {"epoch": 1, "valid_accuracy": value, "valid_macro_f1": value}
    folder.append_metrics(metrics)
    options["on_epoch"](metrics)
    return "finished"


if __name__ == "__main__":
    ROOT = Path(sys.argv[1])
    run.run_training = note  # type: ignore[attr-defined]  # it stands in for the real one
    few = TrainingData(stripes(8, 0), stripes(8, 1), {"name": "few"})
    run.training_data = lambda config: few  # type: ignore[attr-defined]
    search = Search.from_json(json.loads(sys.argv[2]))
    ROOT.mkdir()
    state = run.run_search(add_search(ROOT, "search", search))
    sys.exit(0 if state == "finished" else 1)
