"""A live frame and what is explained of a face; the paper's procedure beside the frame."""

import time
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.data import data_dir
from torch import Tensor, nn

from core.bench.timing import Comparison, compare
from core.checkpoints import find_checkpoint
from core.drawing import annotate_frame
from core.explain import (
    fit_masks,
    load_explained,
    occlude_regions,
    recommended_method,
    region_report,
)
from core.faces import find_faces, regions
from core.faces.landmarks import packaged_file
from core.images import read_image
from core.models import Card, load_model
from core.predict import Predictor
from core.types import Face, Image
from core.video import (
    RATE,
    CoreFaceFinder,
    Pipeline,
    sample_film,
)

NETWORK = "gimefive-rafdb"  # the paper's own, whatever network it is compared with
REFRESH = 5  # frames from one look at the top expression to the next
_SIDE = 64  # pixels of the network's input
_WHITE, _GREEN, _BLUE = (255, 255, 255), (0, 255, 0), (255, 0, 0)
FRAMES = 300  # 12 seconds of camera; 60 searches
WARM_UP = 15  # frames that are not counted
BASELINE_EVERY = 5  # frames; the paper's procedure takes one frame of so many
REPEATS = 20
WHOLE_REPEATS = 3
WANTED = 0.3  # seconds for everything said of a face, on two cores
Times = NDArray[np.float64]


class PaperFaces:
    """Haar on the whole picture, 68 landmarks, an eager pass of GiMEFiVE, as the paper says."""

    def __init__(self) -> None:
        import dlib

        cascades = Path(cv2.__file__).parent / "data"
        self._haar = cv2.CascadeClassifier(str(cascades / "haarcascade_frontalface_default.xml"))
        self._shape = dlib.shape_predictor(str(packaged_file()))
        self._rectangle = dlib.rectangle
        self._model, self._card = load_model(find_checkpoint(NETWORK))

    def answered(self, image: Image) -> list[list[int]]:
        """Left, top, width and height of the faces, whose points and answers are made as well."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        boxes = self._found(grey)
        with torch.no_grad():
            for left, top, width, height in boxes:
                self._points(grey, [left, top, width, height])
                face = image[top : top + height, left : left + width]
                torch.softmax(self._logits(face)[0], 0).numpy()
        return boxes

    def _found(self, grey: Image) -> list[list[int]]:
        boxes = self._haar.detectMultiScale(grey, 1.1, 10, minSize=(64, 64))
        return [[int(side) for side in box] for box in boxes]

    def _points(self, grey: Image, box: list[int]) -> list[tuple[int, int]]:
        left, top, width, height = box
        face = self._rectangle(left, top, left + width, top + height)
        return [(point.x, point.y) for point in self._shape(grey, face).parts()]

    def _logits(self, face: Image) -> Tensor:
        grey = cv2.cvtColor(cv2.resize(face, (_SIDE, _SIDE)), cv2.COLOR_RGB2GRAY)
        pixels = np.asarray(grey[None], np.uint8)
        logits: Tensor = self._model(torch.from_numpy(self._card.preprocess.normalise(pixels)))
        return logits


class PaperFrame(PaperFaces):
    """The same with an eager backward pass with hooks, drawn onto a frame."""

    def __init__(self) -> None:
        super().__init__()
        self._activation = self._gradient = torch.zeros(0)
        self._model.requires_grad_(True)  # the whole backward pass, as while training
        last = [layer for layer in self._model.modules() if isinstance(layer, nn.Conv2d)][-1]
        last.register_forward_hook(self._keep_activation)
        last.register_full_backward_hook(self._keep_gradient)
        self._number = 0
        self._top: dict[int, str] = {}

    def __call__(self, image: Image) -> Image:
        """The annotated frame, RGB uint8 (H, W, 3)."""
        canvas = image.copy()
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        for index, (left, top, width, height) in enumerate(self._found(grey)):
            square = (slice(top, top + height), slice(left, left + width))
            shares, heat = self._explained(image[square])
            canvas[square] = _with_heat(canvas[square], heat)
            if self._number % REFRESH == 0 or index not in self._top:
                self._top[index] = self._card.labels[int(shares.argmax())]
            for point in self._points(grey, [left, top, width, height]):
                cv2.circle(canvas, point, 1, _GREEN, -1)
            self._write(canvas, shares, left, top, width, height, index)
        self._number += 1
        return canvas

    def _keep_activation(self, layer: nn.Module, given: object, result: Tensor) -> None:
        self._activation = result

    def _keep_gradient(
        self, layer: nn.Module, given: object, gradients: tuple[Tensor, ...]
    ) -> None:
        self._gradient = gradients[0]

    def _explained(self, face: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities (K,) and the Grad-CAM map (h, w), 0 to 1, of the expression on top."""
        logits = self._logits(face)
        self._model.zero_grad()
        logits[0, logits.argmax()].backward()  # type: ignore[no-untyped-call]
        weights = self._gradient.mean(dim=(2, 3), keepdim=True)  # (1, channels, 1, 1)
        heat = torch.relu((weights * self._activation).sum(dim=1))[0]
        heat = heat / (heat.max() + 1e-8)
        return torch.softmax(logits[0], 0).detach().numpy(), heat.detach().numpy()

    def _write(
        self,
        canvas: Image,
        shares: NDArray[np.float32],
        left: int,
        top: int,
        width: int,
        height: int,
        index: int,
    ) -> None:
        cv2.rectangle(canvas, (left, top), (left + width, top + height), _BLUE, 2)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(canvas, self._top[index], (left, top - 10), font, 0.8, _WHITE, 2)
        for row, (label, share) in enumerate(zip(self._card.labels, shares, strict=True)):
            place = (left + width + 10, top + 20 * row)
            cv2.putText(canvas, f"{label}: {100 * share:.1f}%", place, font, 0.5, _GREEN, 1)


def _with_heat(face: Image, heat: NDArray[np.float32]) -> Image:
    height, width = face.shape[:2]
    large = (255 * cv2.resize(heat, (width, height))).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.addWeighted(face, 0.6, colours, 0.4, 0), np.uint8)


def median(folder: Path) -> Comparison:
    """Median milliseconds a frame with one face.

    Args:
        folder: Checkpoint folder.
    """
    return _comparison(folder, 1, 0.5)


def p95(folder: Path) -> Comparison:
    """95th percentile of the milliseconds a frame with one face; argument as for `median`."""
    return _comparison(folder, 1, 0.95)


def four_faces(folder: Path) -> Comparison:
    """Median milliseconds a frame with four faces; argument as for `median`."""
    return _comparison(folder, 4, 0.5)


def _comparison(folder: Path, faces: int, quantile: float) -> Comparison:
    classes = len(Card.load(folder / "card.json").labels)
    ours, theirs, shown = _measured(folder, faces)
    own, other = (1000 * float(np.quantile(times, quantile)) for times in (ours, theirs))
    name = "median" if quantile == 0.5 else f"{100 * quantile:.0f}th percentile"
    note = (
        f"640x480, {faces} face{'s' * (faces > 1)} ({shown:.1f} found a frame), {name} of "
        f"{len(ours)} frames: detection every 5th frame, 68 landmarks, logits, {classes} maps, "
        "drawing; "
        f"baseline ({len(theirs)} frames): Haar on every frame, 68 landmarks, eager forward and "
        "backward of GiMEFiVE with hooks, drawing"
    )
    return Comparison(own, other, other / own, "ms", note)


@lru_cache(maxsize=2)
def _measured(folder: Path, faces: int) -> tuple[Times, Times, float]:
    """Seconds of every frame of both, timed in one run, and faces we found a frame."""
    pipeline = Pipeline(Predictor(folder), CoreFaceFinder(), budget=0)
    paper = PaperFrame()
    own: list[float] = []
    other: list[float] = []
    found: list[int] = []
    for number, image in enumerate(sample_film(WARM_UP + FRAMES, faces=faces)):
        started = time.perf_counter()
        result = pipeline.process(image, number / RATE)
        annotate_frame(image, result)
        own.append(time.perf_counter() - started)
        found.append(len(result.faces))
        if number % BASELINE_EVERY == 0:
            started = time.perf_counter()
            paper(image)
            other.append(time.perf_counter() - started)
    skipped = WARM_UP // BASELINE_EVERY
    return np.array(own[WARM_UP:]), np.array(other[skipped:]), float(np.mean(found[WARM_UP:]))


def maps(folder: Path) -> Comparison:
    """Milliseconds for logits and all classes' maps of a face; baseline: the plain forward pass.

    The ratio is below 1 by as much as the maps cost: 1 / ratio is their price in forward passes.

    Args:
        folder: Checkpoint folder.
    """
    model, card = load_explained(folder)
    predictor = Predictor(folder)
    crop = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)

    def ours() -> None:
        for _ in range(REPEATS):
            predictor.explain(crop, "grad_cam")

    def baseline() -> None:
        with torch.inference_mode():
            for _ in range(REPEATS):
                model(torch.from_numpy(card.preprocess(crop)))

    return compare(
        ours,
        baseline,
        amounts=(REPEATS, REPEATS),
        note=f"one face, float32, eager: {len(card.labels)} Grad-CAM maps (with logits) against "
        "one forward pass",
    )


def explanation(folder: Path) -> Comparison:
    """Milliseconds for all that is said of one found face by the recommended method.

    Maps of all classes, regions, the effects of hiding each region and the sentence; baseline: the
    same maps by one forward and backward pass a class, and one forward pass a hidden region.

    Args:
        folder: Checkpoint folder.
    """
    predictor = Predictor(folder)
    method = recommended_method(folder)
    face = find_faces(read_image(Path(data_dir) / "astronaut.png")).faces[0]
    preprocess = predictor.card.preprocess
    batch = torch.from_numpy(preprocess(face.crop))

    def ours() -> None:
        for _ in range(WHOLE_REPEATS):
            region_report(
                predictor.model,
                batch,
                fit_masks(_regions(face), preprocess),
                predictor.labels,
                explanation=predictor.explain(face.crop, method),
                temperature=predictor.card.temperature,
            )

    def baseline() -> None:
        for _ in range(WHOLE_REPEATS):
            _one_by_one(predictor.model, batch, fit_masks(_regions(face), preprocess))

    return compare(
        ours,
        baseline,
        amounts=(WHOLE_REPEATS, WHOLE_REPEATS),
        note=f"one found face, float32, eager: {method} for all classes, regions, hidden regions "
        f"and the sentence, wanted below {1000 * WANTED:.0f} ms on two cores; baseline: a forward "
        "and backward pass a class and a forward pass a hidden region",
    )


def _regions(face: Face) -> dict[str, np.ndarray]:
    if face.crop_landmarks is None:
        raise ValueError("the sample photo's face has no landmarks")
    return regions(face.crop_landmarks, face.crop.shape[0])


def _one_by_one(model: nn.Module, batch: Tensor, masks: dict[str, np.ndarray]) -> None:
    """The plain way, pass after pass."""
    pixels = batch.clone().requires_grad_()
    for label in range(model(batch).shape[1]):
        torch.autograd.grad(model(pixels)[0, label], pixels)
    for name, mask in masks.items():
        occlude_regions(model, batch, {name: mask})
