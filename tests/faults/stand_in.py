"""Stands for the processes that a queue starts: `python stand_in.py FOLDER train|evaluate`."""

import sys
from pathlib import Path

from core.files import write_json
from core.training.run_folder import RunFolder


def main() -> None:
    folder = RunFolder(Path(sys.argv[1]))
    if sys.argv[2] == "train":
        folder.set_status("running")
        folder.set_status("finished")
    else:
        write_json(folder.report, {})


if __name__ == "__main__":
    main()
