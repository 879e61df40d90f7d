"""`classify`: its speed beside a plain loop, its memory, Ray beside processes; and `video`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import PIL.Image
import psutil
import torch
import torchvision.transforms as transforms

from core.batch_inference import Request, score_all
from core.bench.timing import Comparison, compare, seconds
from core.errors import CoreError
from core.images import read_image
from core.inference import engine, preferred
from core.labels import EMOTIONS
from core.models import Card, build, load_model, save_weights
from core.predict import Predictor
from core.preprocess import Preprocess
from core.types import Image
from core.video import (
    RATE,
    CoreFaceFinder,
    VideoReader,
    analyse_video,
    network_threads,
    open_writer,
    sample_film,
)

FILES = 1024
PART = 8  # of the files, the share that the slow baseline takes
ROUNDS = 3
FEW, MANY = 1_000, 100_000  # files between which memory must not grow
SPREAD = 24_576  # files scored by Ray and by processes: 48 parts, two minutes of two cores
FILM_FRAMES, FILM_ROUNDS = 1000, 3
_LOOK = 0.1  # seconds between two looks at the memory


def bench(folder: Path) -> Comparison:
    """Compare both ways over the same generated JPEG files of 64 x 64 pixels.

    Args:
        folder: Checkpoint folder.
    """
    predictor = Predictor(folder)
    model, _ = load_model(folder)
    with tempfile.TemporaryDirectory() as place:
        files = _pictures(Path(place))

        def ours() -> None:
            request = Request(str(folder), faces="whole")
            score_all(files, str(Path(place) / "scores.csv"), request)

        def baseline() -> None:
            _one_at_a_time(files[: FILES // PART], model, predictor.card.preprocess)

        def alone() -> None:
            with ThreadPoolExecutor(os.cpu_count()) as readers:
                pixels = list(readers.map(_pixels, files, chunksize=32))
            predictor.logits(np.stack(pixels))

        def _pixels(path: Path) -> Image:
            return predictor.card.preprocess.pixels(read_image(path))

        return compare(
            ours,
            baseline,
            amounts=(FILES, FILES // PART),
            rounds=ROUNDS,
            unit="faces/s",
            note=f"engine {predictor.engine}; {FILES} JPEG files of 64x64; baseline: PIL, "
            "torchvision transforms and an eager float32 forward, one file at a time",
            limit=alone,
            limit_note="all files decoded, then all faces answered, on all cores, nothing else",
        )


def growth(folder: Path) -> Comparison:
    """Peak memory of `classify`, all its processes together, at a hundred times the files.

    The network is a small one by lot: what may grow is the listing, the parts and their joining.

    Args:
        folder: Unused; the small network takes its place.
    """
    del folder
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        _small_network(place / "small")
        engine(place / "small", "exact")  # whoever writes its file loads torch
        peaks, seconds = [], []
        for count in (MANY, FEW):
            files = place / f"{count}"
            files.mkdir()
            kinds = _pictures(place, 64)
            for number in range(count):
                os.link(kinds[number % len(kinds)], files / f"{number:07d}.jpg")
            started = time.perf_counter()
            peaks.append(_peak(_command(files, place / "small", "processes")))
            seconds.append(time.perf_counter() - started)
    return Comparison(
        peaks[0],
        peaks[1],
        peaks[1] / peaks[0],
        "MB",
        f"peak memory of all processes together, {MANY:,} files ({seconds[0]:.0f} s) against "
        f"{FEW:,} ({seconds[1]:.0f} s); a ratio from 0.9 is wanted",
    )


def cluster(folder: Path) -> Comparison:
    """Files a second by Ray on this machine, start included; baseline: its processes.

    Args:
        folder: Checkpoint folder.
    """
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        files.mkdir()
        kinds = _pictures(Path(name), 64)
        for number in range(SPREAD):
            os.link(kinds[number % len(kinds)], files / f"{number:07d}.jpg")
        engine(folder, preferred(folder))  # its file is there for both
        speeds, rows = [], []
        for kind in ("ray", "processes"):
            command = _command(files, folder, kind)
            took = seconds(partial(_run, command))
            speeds.append(SPREAD / took)
            rows.append((Path(name) / f"files-{kind}.csv").read_bytes())
    same = "the same" if rows[0] == rows[1] else "OTHER"
    return Comparison(
        speeds[0],
        speeds[1],
        speeds[0] / speeds[1],
        "files/s",
        f"{SPREAD:,} JPEG files of 64x64, start of the workers included, {same} rows; a ratio "
        "from 0.87 is wanted",
    )


def film(folder: Path) -> Comparison:
    """Frames a second of `video` with its annotated copy; baseline: the film as it plays.

    Args:
        folder: Checkpoint folder.
    """
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "film.mp4"
        with open_writer(source, 640, 480, RATE) as (writer, _):
            for number, image in enumerate(sample_film(FILM_FRAMES)):
                writer.write(image, number / RATE)
        model, finder = Predictor(folder, threads=network_threads()), CoreFaceFinder()

        def ours() -> None:
            analyse_video(source, Path(name) / "out", model, finder)

        ours()
        times, alone = [], []
        for _ in range(FILM_ROUNDS):
            times.append(seconds(ours))
            alone.append(seconds(lambda: _recoded(source, Path(name) / "copy.mp4")))
    speed = FILM_FRAMES / float(np.median(times))
    return Comparison(
        speed,
        RATE,
        speed / RATE,
        "frames/s",
        f"{FILM_FRAMES} frames of 640x480 with one face, detection every 5th frame, 68 landmarks, "
        "maps, table and annotated copy; baseline: the film as it plays",
        FILM_FRAMES / float(np.median(alone)),
        "decoding and encoding the film alone, one frame after the other",
    )


def _recoded(source: Path, target: Path) -> None:
    with VideoReader(source) as video, open_writer(target, 640, 480, RATE) as (writer, _):
        for frame in video.frames():
            writer.write(frame.image, frame.time)


def _command(files: Path, checkpoint: Path, engine: str) -> list[str]:
    out = files.with_name(f"{files.name}-{engine}.csv")
    options = ["--faces", "whole", "--engine", engine, "--checkpoint", str(checkpoint)]
    return [sys.executable, "-m", "core", "classify", str(files), "--out", str(out), *options]


def _run(command: list[str], look: Callable[[int], None] | None = None) -> None:
    """Run a command to its end; with `look`, call it with the process's number again and again.

    Raises:
        CoreError: It fails; the text is the last line of what it said.
    """
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as running:
            while look is not None and running.poll() is None:
                look(running.pid)
                time.sleep(_LOOK)
        if running.returncode:
            said.seek(0)
            lines = [line.strip() for line in said if line.strip()]
            told = lines[-1] if lines else f"it ended with {running.returncode}"
            raise CoreError(told.removeprefix("Error: "))


def _peak(command: list[str]) -> float:
    """The most memory that a command and its processes hold at a time, in MB."""
    held = [0]
    _run(command, lambda number: held.append(_held(number)))
    return max(held) / 2**20


def _held(number: int) -> int:
    """Bytes of a process and its children; shared pages count once for each."""
    held = 0
    try:
        process = psutil.Process(number)
        for one in (process, *process.children(recursive=True)):
            held += one.memory_info().rss
    except psutil.Error:
        pass  # one ended meanwhile
    return held


def _small_network(folder: Path) -> None:
    folder.mkdir()
    torch.manual_seed(0)
    grey = Preprocess(48, 44, mean=(0.5,), std=(0.5,))
    Card("mini_xception", EMOTIONS, grey).save(folder / "card.json")
    save_weights(build("mini_xception", classes=6).state_dict(), folder / "weights.safetensors")


def _pictures(folder: Path, count: int = FILES) -> list[Path]:
    rng = np.random.default_rng(0)
    files = []
    for number in range(count):
        coarse = PIL.Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
        path = folder / f"{number:04d}.jpg"
        coarse.resize((64, 64), PIL.Image.Resampling.BICUBIC).save(path, quality=90)
        files.append(path)
    return files


def _one_at_a_time(files: list[Path], model: torch.nn.Module, preprocess: Preprocess) -> list[int]:
    """The paper's way of scoring a folder, written from its description, for any network."""
    grey = [] if preprocess.colour else [transforms.Grayscale(preprocess.channels)]
    transform = transforms.Compose(
        [
            transforms.Resize((preprocess.size, preprocess.size)),
            transforms.CenterCrop(preprocess.crop),
            *grey,
            transforms.ToTensor(),
            transforms.Normalize(preprocess.mean, preprocess.std),
        ]
    )
    answers = []
    with torch.no_grad():
        for path in files:
            with PIL.Image.open(path) as picture:
                batch = transform(picture)[None]
            answers.append(int(torch.softmax(model(batch), dim=1).argmax()))
    return answers
