"""How fast a run would be here: from runs that were, or from a few steps on random pictures."""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import CheckpointError, TrainingError
from core.files import read_object, write_json
from core.paths import PROJECT_ROOT, cache_root
from core.process import ProcessId
from core.training.config import RunConfig
from core.training.run_folder import RunFolder, list_runs, observe

# What decides the time of a step; all else is small beside it.
DECISIVE = (
    "model", "model_options", "class_set", "batch_size", "optimiser", "precision", "ema",
    "accelerator", "devices", "machines", "compile",
)  # fmt: skip
MEASURED_SECONDS = 4.0  # after the first step, which warms up
GIVEN_UP = 300  # seconds
VALIDATION_GAIN = 3.0  # a forward pass costs about a third of a training step


@dataclass(frozen=True, slots=True)
class Speed:
    """Training speed at the full side.

    Attributes:
        faces_per_second: Over all processes.
        origin: Where the figure comes from, for a user.
    """

    faces_per_second: float
    origin: str


def known_speed(root: Path, config: RunConfig, side: int) -> Speed | None:
    """The speed of the latest run, or measurement, of equal settings on this machine.

    Args:
        root: The run root.
        config: The settings.
        side: The full side in pixels; epochs of smaller pictures, which are faster, do not count.
    """
    wanted, here = _decisive(config), ProcessId.of().host
    for folder in list_runs(root):
        if observe(folder).process.host != here or _settings_of(folder) != wanted:
            continue
        lines = [line for line in folder.history() if line.get("side", side) == side]
        speeds = [line["faces_per_second"] for line in lines if "faces_per_second" in line]
        if speeds:
            return Speed(statistics.median(speeds), f"as in run {folder.name}")
    found = _measurements().get(_key(config))
    return None if found is None else Speed(float(found), "measured on this machine")


def measured_speed(config: RunConfig) -> Speed:
    """Train a few steps on random pictures in a process of its own, and keep the figure.

    Raises:
        TrainingError: It did not work, for example for want of memory.
    """
    try:
        process = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(config.replaced(devices=1, machines=1).to_json()),
            capture_output=True,
            text=True,
            cwd=PROJECT_ROOT,
            timeout=GIVEN_UP,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TrainingError(
            f"The speed could not be measured within {GIVEN_UP} s. Start the run without knowing "
            "it, or choose settings that begin sooner (compile=false)."
        ) from None
    if process.returncode != 0:
        said = (process.stderr.strip().splitlines() or ["no word"])[-1]
        raise TrainingError(f"The speed could not be measured: {said}. Choose other settings.")
    speed = float(json.loads(process.stdout)) * config.devices * config.machines
    path = _file()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {**_measurements(), _key(config): speed})
    return Speed(speed, "measured on this machine")


def run_seconds(config: RunConfig, train: int, valid: int, speed: Speed, side: int) -> float:
    """Seconds a run takes to its last epoch.

    Args:
        config: The run's settings.
        train: Training pictures.
        valid: Validation pictures.
        speed: At the full side.
        side: The full side in pixels.
    """
    used = max(1, train // config.batch_size) * min(config.batch_size, train)
    early = round(config.grow_until * config.epochs) if config.start_side else 0
    shrunk = (config.start_side / side) ** 2  # a step's work follows the area
    passes = config.epochs - early + early * shrunk
    faces = used * passes + valid / VALIDATION_GAIN * config.epochs
    return faces / speed.faces_per_second


def _settings_of(folder: RunFolder) -> dict[str, Any] | None:
    """What decides the time of a run's step; None where its settings cannot be read."""
    try:
        return _decisive(folder.config())
    except CheckpointError:
        return None


def _decisive(config: RunConfig) -> dict[str, Any]:
    values = config.to_json()
    return {name: values[name] for name in DECISIVE}


def _key(config: RunConfig) -> str:
    text = json.dumps([ProcessId.of().host, _decisive(config)], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def _file() -> Path:
    return cache_root() / "throughput.json"


def _measurements() -> dict[str, Any]:
    return read_object(_file())


def _measure(config: RunConfig) -> float:
    """Faces a second of steps on random pictures, in this process."""
    import numpy as np

    from core.training.batches import Faces, TrainingData
    from core.training.trainer import Trainer

    dice = np.random.default_rng(0)
    n = config.batch_size
    images = dice.integers(0, 256, (n, 64, 64), dtype=np.uint8)
    faces = Faces(images, dice.integers(0, len(config.labels), n))
    whole = config.replaced(start_side=0)
    with TemporaryDirectory() as folder:
        trainer = Trainer(whole, TrainingData(faces, faces, {}), RunFolder(Path(folder)))
        order = trainer.batches.order(0)
        trainer.one_step(0, order)  # warms up
        steps, started = 0, time.perf_counter()
        while time.perf_counter() - started < MEASURED_SECONDS or steps == 0:
            trainer.one_step(0, order)
            steps += 1
        return steps * n / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure(RunConfig.from_json(json.load(sys.stdin)))))
