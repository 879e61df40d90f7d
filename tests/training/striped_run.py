"""Trains the run in a folder on stripes: `python striped_run.py FOLDER [STEPS]`.

After so many steps, the process is killed. A script of its own, because processes that share a run
start it again.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

import torch
from striped_faces import stripes

from core.training import RunFolder
from core.training.batches import TrainingData
from core.training.trainer import Trainer


def main() -> None:
    folder = RunFolder(Path(sys.argv[1]))
    data = TrainingData(stripes(96, 0), stripes(48, 1), {"name": "stripes"})
    asked = count()  # the trainer asks before each step, and once in each validation
    last = int(sys.argv[2]) if len(sys.argv) > 2 else None

    def kill() -> bool:
        if next(asked) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    trainer = Trainer(folder.config(), data, folder, stop=kill)
    trainer.restore()
    trainer.fit()
    if torch.distributed.is_initialized():
        raise SystemExit("The group of processes outlives the training.")
    if trainer.fabric.is_global_zero:
        (folder.path / "world").write_text(str(trainer.fabric.world_size))


if __name__ == "__main__":
    main()
