"""From a picture to faces, answers and maps: the one object that the app and the commands share."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from core.checkpoints import find_checkpoint
from core.errors import ConfigError, ExplainError
from core.explain import EXPLAINERS, recommended_layers, recommended_method
from core.types import RECOMMENDED, Explanation, Face, FaceResult, Image, ImageResult, Prediction

if TYPE_CHECKING:
    from torch import nn

    from core.inference import OnnxEngine

Engine = Literal["auto", "exact", "int8", "torch"]


class Predictor:
    """A checkpoint ready to answer; threads may share it.

    Args:
        folder: Checkpoint folder.
        engine: What computes many answers: "auto" takes 8 bits where the checkpoint's accuracy was
            shown to hold and float32 in ONNX Runtime else; "exact", "int8" and "torch" insist.
        threads: Threads that the network may use; 0 for one a core for many faces, and for two at
            most for single frames.

    Raises:
        CheckpointError: The folder cannot be used.
    """

    def __init__(self, folder: Path, engine: Engine = "auto", *, threads: int = 0) -> None:
        from core.inference import is_built
        from core.models import Card

        if engine not in ("auto", "exact", "int8", "torch"):
            raise ConfigError(f"Engine is {engine!r}; expected auto, exact, int8 or torch.")
        self.folder = folder
        self._engine, self._threads = engine, threads
        self._frame_engines: dict[str | None, OnnxEngine] = {}
        self._loading = threading.Lock()
        self._model: nn.Module | None = None
        self.card = Card.load(folder / "card.json")
        if self.engine == "torch" or not is_built(folder):
            self._load()  # a checkpoint whose files were written is a usable one

    @classmethod
    def load(
        cls, checkpoint: str | Path = "default", engine: Engine = "auto", *, threads: int = 0
    ) -> "Predictor":
        """The predictor of a checkpoint's name or folder.

        Raises:
            CheckpointError: There is none, or it cannot be used.
        """
        return cls(find_checkpoint(checkpoint), engine, threads=threads)

    @property
    def model(self) -> "nn.Module":
        """The network itself, in eval mode, loaded with torch when it is first asked for."""
        return self._load()

    def _load(self) -> "nn.Module":
        with self._loading:
            if self._model is None:
                from core.explain import load_explained

                self._model = load_explained(self.folder)[0]
            return self._model

    @property
    def labels(self) -> tuple[str, ...]:
        return self.card.labels

    @cached_property
    def engine(self) -> str:
        """What computes many answers: "exact", "int8" or "torch"."""
        if self._engine != "auto":
            return self._engine
        from core.inference import preferred

        return preferred(self.folder)

    def logits(self, pixels: Image) -> NDArray[np.float64]:
        """Logits of many faces, before temperature, by the fast engine.

        Args:
            pixels: uint8 (N, S, S) or (N, S, S, 3) from `card.preprocess.pixels`.

        Returns:
            float64 (N, K); averaged with the mirror image where the card says so.
        """
        return self._averaged(self._many, pixels)

    def _averaged(
        self, answer: Callable[[Image], NDArray[np.float64]], pixels: Image
    ) -> NDArray[np.float64]:
        """What `answer` gives; averaged with the mirror image's where the card says so."""
        values = answer(pixels)
        if self.card.flip_average:
            values = (values + answer(_mirrored(pixels))) / 2
        return values

    def _many(self, pixels: Image) -> NDArray[np.float64]:
        if self.engine == "torch":
            return self._network(pixels)
        return self._many_engine.run(pixels)[0]

    @cached_property
    def _many_engine(self) -> "OnnxEngine":
        """The engine for many faces, looked up once, as the one for single frames."""
        from core.inference import engine

        return engine(self.folder, self._plain, threads=self._threads)

    @property
    def _plain(self) -> Literal["exact", "int8"]:
        """The kind of engine that gives no maps."""
        return "int8" if self.engine == "int8" else "exact"

    def _network(self, pixels: Image) -> NDArray[np.float64]:
        import torch

        batch = torch.from_numpy(self.card.preprocess.normalise(pixels))
        with torch.inference_mode():
            values: NDArray[np.float64] = self.model(batch).double().numpy()
        return values

    def fast(
        self, pixels: Image, method: str | None = None
    ) -> tuple[NDArray[np.float64], tuple[Explanation, ...] | None]:
        """Logits float64 (N, K) and the faces' explanations at camera speed.

        Logits are those of `logits`, in 8 bits where these are; maps come from the same pass and
        are those of the picture as it is, None where the method needs a backward pass for this
        network.
        """
        frames = self._frame_engine(method)
        logits, maps = frames.run(pixels)
        if self.card.flip_average:
            logits = (logits + frames.run(_mirrored(pixels))[0]) / 2
        if maps is None or method is None:
            return logits, None
        signed = EXPLAINERS[method].signed
        return logits, tuple(
            Explanation(method, frames.layer, self.labels, one, signed) for one in maps
        )

    def _frame_engine(self, method: str | None) -> "OnnxEngine":
        """The engine for single frames, without maps where the method needs a backward pass.

        It is looked up once: that hashes the weights, which takes longer than a face.  Two threads:
        more gain little on a few faces and keep others from decoding.
        """
        if method not in self._frame_engines:
            from core.inference import engine, kind_with_maps

            threads = self._threads or min(2, os.cpu_count() or 1)
            try:
                kind = kind_with_maps(self._plain, method)
                self._frame_engines[method] = engine(self.folder, kind, threads=threads)
            except ExplainError:
                self._frame_engines[method] = self._frame_engine(None)
        return self._frame_engines[method]

    def method_of(self, name: str) -> str:
        """The method that a name stands for: itself, or the recommended one."""
        return self._recommended_method if name == RECOMMENDED else name

    @cached_property
    def _recommended_method(self) -> str:
        return recommended_method(self.folder)

    def prediction(self, logits: NDArray[np.float64]) -> Prediction:
        """The answer that logits (K,) stand for: softmax (paper, Eq. 1) after temperature."""
        return Prediction(
            labels=self.labels,
            probabilities=softmax(logits / self.card.temperature),
            logits=logits,
            threshold=self.card.threshold,
        )

    def predictions(self, crops: Sequence[Image]) -> list[Prediction]:
        """Answers for RGB or grey crops of faces, by the fast engine."""
        if not crops:
            return []
        pixels = np.stack([self.card.preprocess.pixels(crop) for crop in crops])
        return [self.prediction(row) for row in self.logits(pixels)]

    def explain(
        self, crop: Image, method: str = RECOMMENDED, layer: str | None = None
    ) -> Explanation:
        """Maps of every class for one crop.

        Args:
            crop: RGB uint8 (S, S, 3) or grey (S, S).
            method: Registry name in `core.explain.EXPLAINERS`, or "recommended" for the one that
                did best when this checkpoint's explanations were measured.
            layer: Name of a layer; None for the one the method did best with when this checkpoint's
                explanations were measured, else the method's own choice for such a network.

        Raises:
            ExplainError: The method does not apply to this model or layer.
        """
        from core.explain import explain

        method = self.method_of(method)
        chosen = layer or self._recommended_layers.get(method)
        return explain(self.model, self.card.preprocess(crop), self.labels, method, chosen)

    @cached_property
    def _recommended_layers(self) -> dict[str, str]:
        return recommended_layers(self.folder)

    def analyse(
        self,
        image: Image,
        *,
        detector: str = "auto",
        method: str | None = RECOMMENDED,
        landmarks: bool = True,
        whole: bool = False,
    ) -> ImageResult:
        """Find, name and explain every face of a picture.

        A face gets the answer that it gets among many, from the same engine; maps are computed in
        float32.

        Args:
            image: RGB uint8 (H, W, 3); the result holds a turned copy, and says so, where `auto`
                finds that it lies on its side.
            detector: Registry name in `core.faces.DETECTORS`.
            method: Explanation method, as for `explain`; None for none.
            landmarks: Whether the 68 landmarks are fitted.
            whole: Whether the whole picture is taken as one face, without looking for any.
        """
        from core.faces import find_faces, whole_picture

        faces: tuple[Face, ...]
        notes: tuple[str, ...] = ()
        turned = 0
        if whole:
            faces = (whole_picture(image),)
        else:
            found = find_faces(image, detector=detector, landmarks=landmarks)
            image, faces, notes, turned = found.image, found.faces, found.notes, found.turned
        if not faces:
            return ImageResult(image, (), notes)
        answers = self.predictions([face.crop for face in faces])
        results = [
            FaceResult(face, answer, self.explain(face.crop, method) if method else None)
            for face, answer in zip(faces, answers, strict=True)
        ]
        return ImageResult(image, tuple(results), notes, turned)


def _mirrored(pixels: Image) -> Image:
    """Each of uint8 (N, S, S) or (N, S, S, 3) with left and right changed over."""
    return np.ascontiguousarray(pixels[:, :, ::-1])


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the last axis (paper, Eq. 1).

    Args:
        logits: float64 (..., K), finite; large ones do not overflow.

    Returns:
        float64 of the same shape, 0 to 1, each row of sum 1.
    """
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
