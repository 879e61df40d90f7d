"""Other tools on the same pictures, and the paper's procedure, each in a process of its own."""

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import PIL.Image
import torch

from core.bench.live import PaperFaces
from core.bench.peer_side import Boxes, serve
from core.bench.timing import Comparison
from core.errors import CoreError
from core.images import read_image
from core.predict import Predictor
from core.scoring import score_files
from core.types import Box

ROUNDS = 3
PICTURES = 64
WIDTH, HEIGHT = 640, 480
LEAST_FACE, MOST_FACE = 80, 260  # pixels in height
FACE, FACE_SIDE = (224.0, 115.0), 108  # in the astronaut's photo: middle and height of the face
GREY = (110, 110, 110)  # around the photo
OURS, PAPER = "ours", "the paper's procedure (Haar, 68 points, PyTorch)"
HEADINGS = ("tool", "pictures/s", "faces found", "times slower than ours")
INSTALL = "`make peers` installs it"


@dataclass(frozen=True, slots=True)
class Peer:
    """What came of one tool.

    Attributes:
        tool: Its name and parts.
        speed: Pictures a second of processor time.
        found: Pictures whose face it found.
        others: Boxes elsewhere.
        times: How many times faster ours is.
        missing: One sentence where it could not be measured.
    """

    tool: str
    speed: float = 0.0
    found: int = 0
    others: int = 0
    times: float = 0.0
    missing: str = ""

    def row(self, pictures: int) -> tuple[str, ...]:
        """Its line of the table."""
        if self.missing:
            return (self.tool, self.missing)
        more = f", and {self.others} boxes elsewhere" if self.others else ""
        found = f"{self.found} of {pictures}{more}"
        return (self.tool, f"{self.speed:.1f}", found, f"{self.times:.1f}")


def bench(folder: Path) -> Comparison:
    """Pictures a second of processor time: ours, the paper's procedure, and tools of others.

    Args:
        folder: Checkpoint folder.
    """
    with tempfile.TemporaryDirectory() as place:
        middles = write_pictures(Path(place))
        return measured(commands(Path(place), folder, Path(sys.prefix) / "peers"), middles)


def commands(pictures: Path, checkpoint: Path, peers: Path) -> dict[str, Sequence[str] | str]:
    """How each tool is started, or one sentence why it is not.

    Args:
        pictures: Folder of the pictures.
        checkpoint: Of ours.
        peers: The environment of the tools of others, made by `make peers`.
    """
    own = [sys.executable, "-m", "core.bench.peers"]
    found: dict[str, Sequence[str] | str] = {
        OURS: [*own, "ours", str(pictures), str(checkpoint)],
        PAPER: [*own, "paper", str(pictures)],
    }
    beside = Path(__file__).parent
    python = peers / "bin" / "python"
    script = [str(python), "-W", "ignore", str(beside / "peer_side.py"), "fer", str(pictures)]
    found["fer"] = script if python.exists() else f"not installed: {INSTALL}"
    node = shutil.which("node")
    for name, detector in (("face-api", "ssd"), ("face-api, tiny detector", "tiny")):
        if node is None:
            found[name] = "not measured: there is no Node.js on this machine"
        elif not (peers / "node_modules" / "@vladmandic" / "face-api").is_dir():
            found[name] = f"not installed: {INSTALL}"
        else:
            script = [node, str(beside / "face_api.mjs"), detector, str(pictures), str(peers)]
            found[name] = script
    return found


def measured(
    commands: Mapping[str, Sequence[str] | str],
    middles: Sequence[tuple[float, float]],
    rounds: int = ROUNDS,
) -> Comparison:
    """Start every tool, time them in turn, and compare each with ours.

    Args:
        commands: As `commands` gives them.
        middles: Where the face of each picture is, x and y.
        rounds: How often each answers all pictures.

    Raises:
        CoreError: Ours did not run.
    """
    with ExitStack() as all_of_them, _on_one_core():
        tools = {
            name: all_of_them.enter_context(_Tool(name, command))
            for name, command in commands.items()
        }
        for _ in range(rounds):
            for tool in tools.values():
                tool.answer()
    ours = tools.pop(OURS)
    if ours.missing:
        raise CoreError(f"Ours was {ours.missing}.")
    own = ours.peer(middles, ours)
    others = [tool.peer(middles, ours) for tool in tools.values()]
    paper = next((one for name, one in zip(tools, others, strict=True) if name == PAPER), own)
    return Comparison(
        own.speed,
        None if paper.missing else paper.speed,
        None if paper.missing else paper.times,
        "pictures/s",
        f"{len(middles)} photos of {WIDTH}x{HEIGHT} with one face of {LEAST_FACE} to {MOST_FACE} "
        "pixels, read, searched and answered, one thread each on the same core, in turn, by "
        "processor time; baseline: the paper's procedure",
        table=(HEADINGS, *(one.row(len(middles)) for one in (own, *others))),
    )


class _Tool:
    """A tool's process; what fails in it is one sentence and ends only it."""

    def __init__(self, name: str, command: Sequence[str] | str) -> None:
        self.name = name
        self.missing = command if isinstance(command, str) else ""
        self.boxes: list[Boxes] = []
        self.seconds: list[float] = []
        self._command = [] if isinstance(command, str) else command
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in __exit__
        self._running: subprocess.Popen[str] | None = None

    def __enter__(self) -> "_Tool":
        if self.missing:
            return self
        try:
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                text=True,
            )
        except OSError as error:
            self.missing = f"not measured: it does not start ({error.strerror})"
            return self
        said = self._said()
        if said:
            self.name, self.boxes = str(said["tool"]), list(said["boxes"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            with suppress(BrokenPipeError), self._running:
                self._running.kill()
        self._complaints.close()

    def answer(self) -> None:
        """Have it answer all pictures once."""
        if self.missing or self._running is None or self._running.stdin is None:
            return
        with suppress(BrokenPipeError):
            self._running.stdin.write("again\n")
            self._running.stdin.flush()
        said = self._said()
        if said:
            self.seconds.append(float(said["processor"]))

    def _said(self) -> dict[str, Any]:
        """The next line of JSON, among whatever else it prints; nothing where it ended."""
        lines = self._running.stdout if self._running else None
        for line in lines or ():
            if line.startswith("{"):
                values: dict[str, Any] = json.loads(line)
                return values
        self._complaints.seek(0)
        last = (self._complaints.read().strip().splitlines() or ["it said nothing"])[-1]
        self.missing = f"not measured: it ended early ({last.strip()})"
        return {}

    def peer(self, middles: Sequence[tuple[float, float]], ours: "_Tool") -> Peer:
        """Its figures beside ours."""
        if self.missing:
            return Peer(self.name, missing=self.missing)
        found, others = hits(self.boxes, middles)
        pairs = zip(self.seconds, ours.seconds, strict=True)
        speed = len(middles) / median(self.seconds)
        return Peer(self.name, speed, found, others, median(one / own for one, own in pairs))


def hits(boxes: Sequence[Boxes], middles: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """Pictures whose face lies in a box, and boxes beyond one a face.

    Args:
        boxes: Of each picture: left, top, width, height.
        middles: Where each picture's face is, x and y.
    """
    found = others = 0
    for each, (x, y) in zip(boxes, middles, strict=True):
        hit = any(a <= x < a + width and b <= y < b + height for a, b, width, height in each)
        found += hit
        others += len(each) - hit
    return found, others


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Processes begun meanwhile stay on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def write_pictures(folder: Path) -> list[tuple[float, float]]:
    """Photos made of the astronaut of scikit-image (NASA, public domain), as JPEG files.

    Args:
        folder: To write them to.

    Returns:
        The middle of each picture's face, x and y, in the files' order.
    """
    from skimage.data import data_dir

    photo = read_image(Path(data_dir) / "astronaut.png")
    middles = []
    for number in range(PICTURES):
        side = LEAST_FACE * (MOST_FACE / LEAST_FACE) ** (number / (PICTURES - 1))
        x, y = WIDTH / 2 + 70 * math.sin(number), HEIGHT / 2 + 30 * math.sin(2.3 * number)
        matrix = cv2.getRotationMatrix2D(FACE, 8 * math.sin(1.7 * number), side / FACE_SIDE)
        matrix[:, 2] += np.subtract((x, y), FACE)
        picture = cv2.warpAffine(photo, matrix, (WIDTH, HEIGHT), borderValue=GREY)
        if number % 2:
            picture, x = picture[:, ::-1], WIDTH - x
        lit = cv2.convertScaleAbs(picture, alpha=0.8 + 0.4 * (number % 5) / 4)
        PIL.Image.fromarray(lit).save(folder / f"{number:03d}.jpg", quality=90)
        middles.append((x, y))
    return middles


def _ours(pictures: str, checkpoint: str) -> None:
    torch.set_num_threads(1)
    predictor = Predictor(Path(checkpoint), threads=1)

    def answer(files: list[str]) -> list[Boxes]:
        rows = score_files([Path(file) for file in files], predictor, faces="detect")
        return [[_sides(row.box)] if row.box else [] for row in rows]

    engine = "8 bits" if predictor.engine == "int8" else "float32"
    serve(f"ours ({Path(checkpoint).name}, {engine})", answer, pictures)


def _sides(box: Box) -> list[int]:
    return [box.left, box.top, box.width, box.height]


def _paper(pictures: str) -> None:
    torch.set_num_threads(1)
    paper = PaperFaces()

    def answer(files: list[str]) -> list[Boxes]:
        return [paper.answered(np.asarray(PIL.Image.open(file))) for file in files]

    serve(PAPER, answer, pictures)


if __name__ == "__main__":
    if sys.argv[1] == "ours":
        _ours(*sys.argv[2:])
    else:
        _paper(*sys.argv[2:])
