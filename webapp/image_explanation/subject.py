"""One face with the checkpoint, method and layer it is explained by, and what was measured of it.

Whatever takes longer than a drawing is kept for the visit.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import Explanation, FaceResult
from core.explain import (
    RegionOcclusion,
    RegionReport,
    RegionShapley,
    carried_reference,
    fit_masks,
    occlude_regions,
    region_report,
    region_shapley,
    signed_grad_cam,
)
from core.faces import regions
from core.faithfulness import FaceFaithfulness, face_faithfulness
from core.types import FINE_CELLS, Image
from webapp import cache
from webapp.cache import HashFuncs
from webapp.inputs import Picture

if TYPE_CHECKING:
    from torch import Tensor

    from core.predict import Predictor


Masks = dict[str, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a closer look is about.

    Attributes:
        folder: Of the checkpoint.
        picture: With the face.
        detector: Which found it.
        number: Of the face, from 0.
        method: Registry name of the explanation method.
        layer: Name of a layer; "" for the method's own choice.
    """

    folder: Path
    picture: Picture
    detector: str
    number: int
    method: str
    layer: str = ""

    @property
    def key(self) -> tuple[str, float, str, str, int]:
        """Tells the face from every other; method and layer take no part."""
        return cache.face_key(self.folder, self.picture, self.detector, self.number)

    @property
    def predictor(self) -> "Predictor":
        return cache.predictor(self.folder)

    @property
    def face(self) -> FaceResult:
        """The face without a map."""
        return cache.faces(self.folder, self.picture, self.detector).faces[self.number]

    @property
    def has_parts(self) -> bool:
        """Whether landmarks tell the parts of the face apart."""
        return self.face.face.landmarks is not None

    def by(self, method: str) -> "Subject":
        """The same face by another method, at the layer of its choice."""
        return replace(self, method=method, layer="")

    def explanation(self) -> Explanation:
        """The maps of every class.

        Raises:
            CoreError: The method does not apply to this network or layer.
        """
        place = (self.folder, self.picture, self.detector, self.number)
        return cache.explanation(*place, self.method, self.layer)

    def explanation_at_hand(self) -> Explanation | None:
        """The same where it was computed before; None where it was not."""
        place = (self.folder, self.picture, self.detector, self.number)
        return cache.explanation_at_hand(*place, self.method, self.layer)

    def batch(self) -> "Tensor":
        """The network's input, float32 (1, C, S, S)."""
        import torch

        return torch.from_numpy(self.predictor.card.preprocess(self.face.face.crop))

    def seen(self) -> Image:
        """The face as the network sees it, grey uint8 (S, S), or RGB (S, S, 3) in colour."""
        preprocess = self.predictor.card.preprocess
        margin = (preprocess.size - preprocess.crop) // 2
        window = slice(margin, margin + preprocess.crop)
        return preprocess.pixels(self.face.face.crop)[window, window]

    def masks(self) -> Masks:
        """The parts of the face where the network sees them; empty without landmarks."""
        face = self.face.face
        if face.crop_landmarks is None:
            return {}
        drawn = regions(face.crop_landmarks, face.crop.shape[0])
        return fit_masks(drawn, self.predictor.card.preprocess)


# What tells subjects apart where one is an argument of a cache: the face, and also its map.
BY_FACE: HashFuncs = {Subject: lambda subject: subject.key}
BY_MAP: HashFuncs = {Subject: lambda subject: (*subject.key, subject.method, subject.layer)}


def signed_method(subject: Subject) -> str:
    """The method that stands in for a face's own where that is too coarse, or is not signed."""
    known = carried_reference(subject.predictor.model) is not None
    return "expected_cam" if known else "hires_cam"


@st.cache_resource(scope="session", max_entries=48, show_spinner=False, hash_funcs=BY_MAP)
def parts(subject: Subject, *, all_sets: bool) -> RegionReport:
    """What the parts of the face do to the answer; the face must have landmarks.

    Args:
        subject: The face; a coarse map of its method is replaced, see `region_report`.
        all_sets: Whether every set of parts is hidden, 128 pictures instead of nine.

    Raises:
        CoreError: The method does not apply to this network or layer.
    """
    predictor, explanation = subject.predictor, subject.explanation()
    if min(explanation.maps.shape[1:]) < FINE_CELLS:
        explanation = subject.by(signed_method(subject)).explanation()
    return region_report(
        predictor.model,
        subject.batch(),
        subject.masks(),
        predictor.labels,
        explanation=explanation,
        game=sets_of_parts(subject) if all_sets else None,
        temperature=predictor.card.temperature,
    )


@st.cache_resource(scope="session", max_entries=48, show_spinner=False, hash_funcs=BY_MAP)
def before_relu(subject: Subject) -> Explanation:
    """Grad-CAM of the face before its last ReLU."""
    predictor = subject.predictor
    layer = subject.layer or None
    return signed_grad_cam(predictor.model, subject.batch(), predictor.labels, layer)


@st.cache_resource(scope="session", max_entries=24, show_spinner=False, hash_funcs=BY_FACE)
def sets_of_parts(subject: Subject) -> RegionShapley:
    """Answers with every set of parts hidden."""
    return region_shapley(subject.predictor.model, subject.batch(), subject.masks())


def tested(subject: Subject, label: str) -> FaceFaithfulness:
    """Whether the map of one class holds on its own face, beside maps that know nothing.

    Raises:
        CoreError: The method does not apply to this network or layer.
    """
    kept = _tests(subject, label)
    if not kept:
        model, batch = subject.predictor.model, subject.batch()
        kept.append(face_faithfulness(model, batch, subject.explanation(), label))
    return kept[0]


@st.cache_resource(scope="session", max_entries=48, show_spinner=False, hash_funcs=BY_MAP)
def _tests(subject: Subject, label: str) -> list[FaceFaithfulness]:
    """The place of a test, empty at first; a bar can move while it is filled."""
    return []


def hidden_together(subject: Subject, names: tuple[str, ...]) -> RegionOcclusion:
    """The answer with these parts hidden at once; one region, named after all of them."""
    masks = subject.masks()
    together = np.logical_or.reduce([masks[name] for name in names])
    temperature = subject.predictor.card.temperature
    named = {" and ".join(names): together}
    return occlude_regions(subject.predictor.model, subject.batch(), named, temperature)
