"""Trains the run in a folder on stripes: `python striped_run.py FOLDER`.

A script of its own, because processes that share a run start it again.
"""

import sys
from pathlib import Path

from striped_faces import stripes

from core.training import RunFolder
from core.training.trainer import Trainer, TrainingData


def main() -> None:
    folder = RunFolder(Path(sys.argv[1]))
    data = TrainingData(stripes(96, 0), stripes(48, 1), {"name": "stripes"})
    trainer = Trainer(folder.config(), data, folder)
    trainer.restore()
    trainer.fit()
    if trainer.fabric.is_global_zero:
        (folder.path / "world").write_text(str(trainer.fabric.world_size))


if __name__ == "__main__":
    main()
