"""The verbs that write, on generated pictures and networks of a few channels."""

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Verb
from reading import digests, steady

SETTINGS = (
    "data=\"shapes\"", "sources=[]", "model_options={\"depth\": 2, \"width\": 4}", "epochs=2",
    "batch_size=48", "precision=\"32-true\"", "accelerator=\"cpu\"", "learning_rate=0.02",
    "augment.rotation=0", "augment.scale=0", "augment.shift=0", "augment.shear=0",
    "augment.erasing=0",
)  # fmt: skip
SET = tuple(part for one in SETTINGS for part in ("--set", one))
PRESET = "rafdb-gimefive-modern"
FRAMES, SIDE = 5, 96


def write_base(root: Path) -> None:
    """Generated pictures, a film of an astronaut, and a search space."""
    import cv2
    import numpy as np
    import torch
    from evaluated_run import write_pictures
    from photos import sample_photo

    from core.models import build, save_weights
    from core.video.writer import open_writer

    write_pictures(root / "pictures")
    for name in ("data", "runs", "cache"):
        (root / name).mkdir()
    torch.manual_seed(0)
    save_weights(build("mini_xception", 6).state_dict(), root / "own.safetensors", half=False)
    (root / "grid.json").write_text('{"learning_rate": [0.01, 0.02]}')
    face = cv2.resize(sample_photo()[:256, 96:352], (2 * SIDE, 2 * SIDE))
    with open_writer(root / "film.mp4", 2 * SIDE, 2 * SIDE, 10.0) as (writer, _):
        for number in range(FRAMES):
            writer.write(np.roll(face, number, axis=1), number / 10)


def core(*arguments: str) -> None:
    """Run the command line in this process.

    Raises:
        SystemExit: It refused, or failed; whoever ends well returns.
    """
    from core.cli import main

    sys.argv = ["core", *arguments]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise


def files(*names: str) -> Callable[[Path], object]:
    """The result of a verb that leaves files below these folders."""
    return lambda root: digests(root, *names)


def prepare(root: Path) -> None:
    core("prepare", "pictures", "--out", "data/shapes", "--workers", "1")


def prepared_state(root: Path) -> str:
    """A set without all its tables may not look finished."""
    from core.data import load_dataset
    from core.errors import DataError

    try:
        dataset = load_dataset(root / "data" / "shapes")
    except DataError:
        return ""
    black = int((dataset.images.reshape(len(dataset.images), -1).max(1) == 0).sum())
    lacks = [one for one in ("published", "clean") if not len(dataset.split(one))]
    return f"{black} black pictures, no split {lacks}" if black or lacks else ""


def train(root: Path) -> None:
    from core.training import RunFolder

    begun = RunFolder(root / "runs" / "net").is_taken
    core("train", *(["--resume"] if begun else [PRESET, *SET]), "--run", "net")


def tune(root: Path) -> None:
    begun = (root / "runs" / "grid" / "study.json").exists()
    new = ("grid.json", "--sampler", "grid", "--pruner", "none", "--base", PRESET)
    kept = [one for one in SETTINGS if not one.startswith(("learning_rate", "epochs"))]
    short = [part for one in (*kept, "epochs=1") for part in ("--set", one)]
    core("tune", *(["--resume"] if begun else [*new, *short]), "--run", "grid")


def run_state(name: str, *, may_wait: bool = False) -> Callable[[Path], str]:
    """A process that is gone may not be called running; a finished one must have all its epochs.

    A run of the queue that had not begun may still wait.
    """

    def state(root: Path) -> str:
        from core.training import RunFolder, observe

        folder = RunFolder(root / "runs" / name)
        observed = observe(folder)
        if observed.state in (("running",) if may_wait else ("running", "queued")):
            return f"it is called {observed.state}"
        epochs = [line["epoch"] for line in folder.history()]
        if observed.state == "finished" and name == "net" and epochs != [1, 2]:
            return f"it is called finished and tells of the epochs {epochs}"
        return ""

    return state


def tuned(root: Path) -> object:
    from core.training import RunFolder, observe, read_findings

    folder = RunFolder(root / "runs" / "grid")
    found = read_findings(folder).best
    tried = sorted([one.chosen["learning_rate"], one.value] for one in found)
    return {"state": observe(folder).state, "tried": tried}


def work(root: Path) -> None:
    """Queue a run that a stand-in trains and measures, and work on the queue until it is empty."""
    from core.errors import CoreError, sentence_of

    try:
        _work(root)
    except (CoreError, OSError) as error:  # as the command line does
        said = sentence_of(error) if isinstance(error, OSError) else error
        print(f"Error: {said}", file=sys.stderr)  # noqa: T201
        raise SystemExit(1) from None


def _work(root: Path) -> None:
    from core.training import RunConfig, RunFolder, add_run, observe, worker

    folder = RunFolder(root / "runs" / "job")
    if not folder.is_taken:
        add_run(root / "runs", "job", RunConfig())
    worker.POLL, worker.GIVE_UP = 0.02, 0.2
    stand_in = str(Path(__file__).with_name("stand_in.py"))
    worker.Worker(
        root / "runs", command=lambda run, task: [sys.executable, stand_in, str(run.path), task]
    ).work()
    deadline = time.monotonic() + 30
    while observe(folder).state == "running" and time.monotonic() < deadline:
        time.sleep(0.02)


def worked(root: Path) -> object:
    from core.training import RunFolder, observe

    folder = RunFolder(root / "runs" / "job")
    return {"state": observe(folder).state, "measured": folder.report.exists()}


def evaluate(root: Path) -> None:
    core("evaluate", "net")


def faithfulness(root: Path) -> None:
    """On two faces, and two methods alone: one of them keeps what it has learned in a file."""
    from core.explain import EXPLAINERS

    small_network = importlib.import_module("core.faithfulness.planted_cue")
    for name, value in (("EVERY", 1), ("LEARNT", 0.0)):  # it need not learn to find the mark
        setattr(small_network, name, value)
    scorer: Any = importlib.import_module("core.faithfulness.scorer")
    scorer._seconds = lambda *_: 0.0  # which of several is fastest changes from hour to hour
    for name in [*EXPLAINERS]:
        if name not in ("expected_cam", "grad_cam"):
            del EXPLAINERS._entries[name]
    core("faithfulness", "net", "--faces", "2")


def faithful(root: Path) -> object:
    """Files by name, and what the report is about: the last bits of its figures are any."""

    def outlined(value: object) -> object:
        if isinstance(value, dict):
            judged = ("verdict", "sanity")
            return {key: outlined(one) for key, one in value.items() if key not in judged}
        if isinstance(value, list):
            return [outlined(one) for one in value]
        return "a number" if isinstance(value, float) else value

    report = "runs/net/faithfulness.json"
    found: dict[str, object] = {**digests(root, "runs")}
    if report in found:
        found[report] = outlined(steady(json.loads((root / report).read_bytes())))
    return found


def quantise(root: Path) -> None:
    from core.evaluation import collecting

    collecting.FEWEST_TO_CALIBRATE = 1  # there are few drawings
    core("quantise", "net")


def quantised_state(root: Path) -> str:
    from core.inference import preferred

    return "" if preferred(root / "runs" / "net") in ("exact", "int8") else "no kind is preferred"


def import_network(root: Path) -> None:
    """As a user would, who sees that it is there."""
    if (root / "runs" / "own").exists():
        return
    core("import", "own.safetensors", "--model", "mini_xception", "--classes",
         "happiness,surprise,sadness,anger,disgust,fear", "--name", "own")  # fmt: skip


def imported_state(root: Path) -> str:
    """A folder of that name must be a whole checkpoint."""
    from core.checkpoints import list_checkpoints

    whole = [folder.name for folder in list_checkpoints() if folder.name.startswith((".", "own"))]
    there = [one.name for one in (root / "runs").glob("own*")]
    return "" if whole == there else f"{there} are there, of which {whole} are checkpoints"


def export(root: Path) -> None:
    core("export", "net", "--onnx", "exported/net.onnx")


def classify(root: Path) -> None:
    core("classify", "pictures/test/fear", "--out", "scores/s.csv", "--checkpoint", "net",
         "--faces", "whole")  # fmt: skip


def explain(root: Path) -> None:
    core("explain", "pictures/test/fear/000.png", "--out", "explained", "--checkpoint", "net",
         "--faces", "whole")  # fmt: skip


def video(root: Path) -> None:
    core("video", "film.mp4", "--out", "film", "--checkpoint", "net", "--method", "none")


VERBS = {
    verb.name: verb
    for verb in (
        Verb("prepare", prepare, files("data"), prepared_state),
        Verb("train", train, files("runs"), run_state("net"), base="prepare"),
        Verb("tune", tune, tuned, run_state("grid"), base="prepare"),
        Verb("queue", work, worked, run_state("job", may_wait=True)),
        Verb("evaluate", evaluate, files("runs"), base="train"),
        Verb("faithfulness", faithfulness, faithful, base="train"),
        Verb("quantise", quantise, files("runs"), quantised_state, base="train"),
        Verb("import", import_network, files("runs"), imported_state),
        Verb("export", export, files("exported"), base="train", elsewhere=True),
        Verb("classify", classify, files("scores"), base="train", elsewhere=True),
        Verb("explain", explain, files("explained"), base="train", elsewhere=True),
        Verb("video", video, files("film"), base="train", elsewhere=True),
    )
}
