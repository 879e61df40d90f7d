"""All caches of the app: loaded models for everyone, results for the visitor they belong to."""

import ctypes
import gc
import hashlib
import logging
import platform
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from core import CoreError, Explanation, ImageResult, Prediction
from core.checkpoints import REFERENCE, WEIGHTS, find_checkpoint
from core.types import WHOLE, Box
from webapp.inputs import Picture, sample_picture

if TYPE_CHECKING:
    from core.predict import Predictor

logger = logging.getLogger(__name__)
CLOCK = 60.0  # seconds between two looks for what is to be forgotten
HashFuncs = dict[str | type[Any], Callable[[Any], Any]]  # as caches of Streamlit take them
# Of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
AT_ONCE = 32 * 2**20  # bytes; less makes integrated gradients a tenth to a third slower
ARENAS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is said of one face, which detector found it, and where, in the picture as shown.

    Attributes:
        prediction: Its answer.
        detector: Which found it; WHOLE where the picture was taken as one face.
        box: None there.
        turned: Degrees clockwise by which the picture was turned.
        faces: How many were found in the picture; None where none was looked for.
        notes: Sentences on the picture.
    """

    prediction: Prediction
    detector: str
    box: Box | None = None
    turned: int = 0
    faces: int | None = None
    notes: tuple[str, ...] = ()


def predictor(folder: Path) -> "Predictor":
    """The loaded checkpoint, shared by all visitors; waits where it is still being loaded.

    Raises:
        CheckpointError: The folder holds no usable checkpoint.
    """
    key = (str(folder), _modified(folder))
    loading = _loading(*key)
    try:
        if loading.done():
            return loading.result()
        with st.spinner("Loading the model …"):
            return loading.result()
    except BaseException:
        _loading.clear(*key)  # a repaired file must get its chance
        raise


def warm_up() -> None:
    """Begin to load the default checkpoint, so that the first picture need not wait for it."""
    try:
        folder = find_checkpoint("default")
    except CoreError:
        return  # the page that needs it will say so
    _loading(str(folder), _modified(folder))


def hold_little() -> None:
    """Keep glibc from holding on to what is freed; elsewhere nothing is done.

    It keeps an arena for each of many threads, and the top of each, whose limit rises by itself to
    64 MB: ten visitors at once leave hundreds of megabytes that nothing uses.
    """
    if _is_glibc():
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in (
            (_MMAP_THRESHOLD, AT_ONCE), (_TRIM_THRESHOLD, AT_ONCE), (_ARENA_MAX, ARENAS),
        ):  # fmt: skip
            mallopt(option, value)


def give_back() -> None:
    """Give back now what lies between blocks that are still in use."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"


@st.cache_resource(show_spinner=False)
def keep_tidy() -> threading.Thread:
    """Hold little memory, and forget old films now and then on, whether anybody comes or not."""
    hold_little()

    def work() -> None:
        while True:
            try:
                # Imported now, so that the page that comes first need not wait for it.
                import_module("webapp.video.store").forget_old()
            except Exception:
                logger.exception("Old analyses could not be forgotten; trying again")
            give_back()
            time.sleep(CLOCK)

    clock = threading.Thread(target=work, name="tidy", daemon=True)
    clock.start()
    return clock


def faces(folder: Path, picture: Picture, detector: str) -> ImageResult:
    """Faces and probabilities of a picture, without maps.

    Raises:
        CoreError: The picture, the detector or the checkpoint cannot be used.
    """
    return _faces(folder, picture, detector, _predictor=predictor(folder))


def explained(
    folder: Path, picture: Picture, detector: str, method: str, layer: str = ""
) -> ImageResult:
    """Faces, probabilities and maps of a picture.

    Raises:
        CoreError: As `faces`, or the method does not apply to this network or layer.
    """
    found = faces(folder, picture, detector)
    maps = [
        explanation(folder, picture, detector, number, method, layer)
        for number in range(len(found.faces))
    ]
    pairs = zip(found.faces, maps, strict=True)
    return replace(found, faces=tuple(replace(face, explanation=own) for face, own in pairs))


def explanation(
    folder: Path, picture: Picture, detector: str, number: int, method: str, layer: str = ""
) -> Explanation:
    """The maps of one face.

    Args:
        folder: Of the checkpoint.
        picture: With the face.
        detector: Which found it.
        number: Of the face, from 0.
        method: Registry name.
        layer: Name of a layer; "" for the method's own choice.

    Raises:
        CoreError: As `explained`.
    """
    kept = _explanations(folder, picture, detector, number, method, layer)
    if not kept:
        found = faces(folder, picture, detector).faces[number]
        kept.append(predictor(folder).explain(found.face.crop, method, layer or None))
    return kept[0]


def explanation_at_hand(
    folder: Path, picture: Picture, detector: str, number: int, method: str, layer: str = ""
) -> Explanation | None:
    """The same where it was computed before; None where it was not."""
    kept = _explanations(folder, picture, detector, number, method, layer)
    return kept[0] if kept else None


def face_key(
    folder: Path, picture: Picture, detector: str, number: int
) -> tuple[str, float, str, str, int]:
    """What tells a face under one checkpoint from every other, for caches."""
    return str(folder), _modified(folder), _digest(picture), detector, number


@st.cache_resource(max_entries=4, show_spinner=False)
def _loading(folder: str, modified: float) -> "Future[Predictor]":
    """Load in a thread of its own; the folder's time of change makes a new file a new entry."""
    future: Future[Predictor] = Future()

    def work() -> None:
        try:
            future.set_result(_loaded_and_warm(Path(folder)))
        except Exception as error:  # noqa: BLE001 - raised again where the result is asked for
            future.set_exception(error)

    threading.Thread(target=work, name="load checkpoint", daemon=True).start()
    return future


def _loaded_and_warm(folder: Path) -> "Predictor":
    from core.predict import Predictor  # slow to import, hence here and not while the page waits

    loaded = Predictor.load(folder)
    # Detector, landmarks and runtime load what they need on first use.
    loaded.analyse(sample_picture().decoded())
    if not gc.get_freeze_count():
        # Streamlit collects garbage after every run of a page. What libraries hold stays for good;
        # set aside, it is not searched again, which saves a fifth of a second each time.
        gc.collect()
        gc.freeze()
    return loaded


def _modified(folder: Path) -> float:
    """When what a loaded network holds last changed, seconds since the epoch; 0 for never."""
    files = [folder / name for name in (WEIGHTS, "card.json", REFERENCE, "faithfulness.json")]
    return max((file.stat().st_mtime for file in files if file.is_file()), default=0.0)


def _digest(picture: Picture) -> str:
    return hashlib.blake2b(picture.data, digest_size=16).hexdigest()


# What tells checkpoints and pictures apart where they are arguments of a cache.
_BY_CONTENT: HashFuncs = {
    type(Path()): lambda folder: (str(folder), _modified(folder)),
    Picture: _digest,
}


# A visitor's pictures are kept for this visit only, and seen by nobody else.
@st.cache_resource(scope="session", max_entries=6, show_spinner=False, hash_funcs=_BY_CONTENT)
def _faces(
    folder: Path, picture: Picture, detector: str, *, _predictor: "Predictor"
) -> ImageResult:
    from core.faces import halved_note

    image = picture.decoded()
    if detector == WHOLE:
        return _predictor.analyse(image, method=None, whole=True)
    result = _predictor.analyse(image, method=None, detector=detector)
    note = halved_note(image, BytesIO(picture.data))
    return replace(result, notes=(*result.notes, note)) if note else result


@st.cache_resource(scope="session", max_entries=5000, show_spinner=False, hash_funcs=_BY_CONTENT)
def answers(folder: Path, picture: Picture, detector: str) -> tuple[Answer, ...]:
    """Only what is said of each face, which may be kept for many pictures.

    Raises:
        CoreError: As `faces`.
    """
    return answers_of(faces(folder, picture, detector), detector)


def answers_of(result: ImageResult, detector: str) -> tuple[Answer, ...]:
    """What is said of each face of a picture, largest first.

    Args:
        result: Of the picture.
        detector: Which was asked to look for faces, or WHOLE.
    """
    found = [one.face.detection for one in result.faces]
    count = None if detector == WHOLE else sum(one.is_seen for one in found)
    return tuple(
        Answer(
            one.prediction,
            place.detector,
            None if place.detector == WHOLE else place.box,
            result.turned,
            count,
            result.notes,
        )
        for one, place in zip(result.faces, found, strict=True)
    )


@st.cache_resource(scope="session", max_entries=96, show_spinner=False, hash_funcs=_BY_CONTENT)
def _explanations(
    folder: Path, picture: Picture, detector: str, number: int, method: str, layer: str
) -> list[Explanation]:
    """The place of an explanation, empty at first.

    It is filled by whoever computes it: within a function that Streamlit keeps, nothing may be
    drawn on the page, so that no bar could move meanwhile.
    """
    return []
