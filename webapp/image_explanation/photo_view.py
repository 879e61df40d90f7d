"""One photo on the page: its faces and answers at once, then their maps, face by face."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from core import CoreError, Explanation, ImageResult
from core.drawing import Style, annotate_picture, common_scale
from core.explain import EXPLAINERS, SLOW_PASSES, stored_faithfulness
from core.images import png_bytes
from webapp import cache, pictures
from webapp.errors import sentence
from webapp.image_explanation.face_card import FaceCard, shown_answer
from webapp.image_explanation.outcome import Outcome, no_face, numbers_json, scores_csv
from webapp.image_explanation.subject import Subject, before_relu
from webapp.text import counted, literal
from webapp.waiting import Waiting, passes_shown, room_for

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

WIDE = 1.4  # times as wide as high: such a photo gets half of the page
FACE = "face"  # parameter of the address, counted from 1
STRIP = 76  # px, side of a face in the strip
_ALL_MAPS = "all maps asked for"
_SHOWN = "photo shown"
_IN_VIEW = """<style>
@media (min-width: 641px) {[data-testid="stColumn"]:has(.st-key-photo-in-view)
{position: sticky; top: 3.75rem; align-self: flex-start;}}
.st-key-tile-face-%d {outline: 3px solid rgba(112, 128, 208, .9);}
</style>"""


def show_photo(first: Subject, style: Style) -> tuple[ImageResult, Subject]:
    """Draw the photo, its faces and the downloads; maps follow as they are computed.

    Args:
        first: The photo with the method and layer chosen.
        style: What is drawn and how.

    Returns:
        The result with the maps there are, and the face that is shown.
    """
    found = cache.faces(first.folder, first.picture, first.detector)
    height, width = found.image.shape[:2]
    subject = replace(first, number=face_picker(found))
    left, right = st.columns([1, 1] if width > WIDE * height else [5, 7], gap="medium")
    with left.container(key="photo in view"):
        photo = room_for(st.container(), found.image.shape, "photo").empty()
        size = f"{width:,} x {height:,} pixels"
        seen = all(one.face.detection.is_seen for one in found.faces)
        count = counted(len(found.faces), "face") if seen else "taken whole"
        st.caption(f"{literal(first.picture.name)}, {size}, {count}")
        for note in found.notes if found.faces else ():
            st.info(literal(note))
        downloads = st.container()
    maps = _Maps(found, subject, style)
    result = maps.result()

    bare = replace(style, landmarks=False)  # points are for the close-up: here they hide the map

    def draw() -> None:
        photo.image(
            annotate_picture(result, bare, pictures.SCREEN),
            width="stretch",
            output_format="JPEG",
            alt=f"{first.picture.name} with its faces marked",
        )

    draw()
    with right:
        if not found.faces:
            st.warning(no_face(found))
            return result, subject
        waiting = Waiting((maps.work, subject.number), "cancel maps")
        report = stored_faithfulness(first.folder)
        card = FaceCard(subject.number + 1, found.faces[subject.number], style, report)
        card.fill(result.faces[subject.number], common_scale(result, style))
        for result in maps.complete(waiting):
            card.fill(result.faces[subject.number], common_scale(result, style))
        card.finish()
    if maps.came:
        draw()
    with downloads:
        _downloads(result, first, style)
    return result, subject


class _Maps:
    """The maps of a photo's faces: which there are, and the others one by one."""

    def __init__(self, found: ImageResult, subject: Subject, style: Style) -> None:
        self._found, self._subject, self._style = found, subject, style
        self._info = EXPLAINERS[subject.method]
        self.work = (subject.key[:-1], subject.method, subject.layer)
        self._maps: list[Explanation | None] = [
            self._of(number).explanation_at_hand() for number in range(len(found.faces))
        ]
        self.came = False

    def result(self) -> ImageResult:
        """The faces with the maps there are."""
        pairs = enumerate(zip(self._found.faces, self._maps, strict=True))
        faces = []
        for number, (face, found) in pairs:
            one = replace(face, explanation=found)
            label = self._style.label_of(one)
            if found is not None and found.method == "grad_cam" and found.is_blank(label):
                subject = replace(self._of(number), layer=found.layer)
                one = replace(face, explanation=before_relu(subject))
            faces.append(one)
        return replace(self._found, faces=tuple(faces))

    def complete(self, waiting: Waiting) -> Iterator[ImageResult]:
        """Compute what is missing, the face shown first; the result after the first and the last.

        Of a slow method the other faces wait until they are asked for.
        """
        missing = self._wanted()
        if missing and waiting.was_cancelled:
            waiting.offer("The maps were cancelled.")
            return
        for done, number in enumerate(missing):
            try:
                self._maps[number] = self._computed(number, done, len(missing), waiting)
            except CoreError as error:
                waiting.end()
                st.error(literal(sentence(error)))
                return
            self.came = True
            if done in (0, len(missing) - 1):
                yield self.result()
        waiting.end()
        self._offer_others()

    def _wanted(self) -> list[int]:
        shown = self._subject.number
        others = [number for number in range(len(self._maps)) if number != shown]
        asked = self.work in st.session_state.setdefault(_ALL_MAPS, set())
        quick = self._info.passes < SLOW_PASSES
        wanted = [shown, *others] if quick or asked else [shown]
        return [number for number in wanted if self._maps[number] is None]

    def _computed(self, number: int, done: int, of: int, waiting: Waiting) -> Explanation:
        subject, title = self._of(number), self._info.title
        words = f"{title}, face {number + 1}" if len(self._maps) > 1 else title

        def show(share: float, told: str) -> None:
            waiting.show((done + share) / of, told)

        labels = self._found.faces[number].prediction.labels
        with passes_shown(show, words, self._info.passes * len(labels)):
            return subject.explanation()

    def _offer_others(self) -> None:
        absent = sum(one is None for one in self._maps)
        if absent and any(one is not None for one in self._maps):
            st.button(
                f"Maps of the other {counted(absent, 'face')}, too",
                key="all maps",
                on_click=st.session_state[_ALL_MAPS].add,
                args=(self.work,),
                help=f"{self._info.title} is slow: {self._info.cost}.",
            )

    def _of(self, number: int) -> Subject:
        return replace(self._subject, number=number)


def fresh_place(first: Subject) -> "DeltaGenerator":
    """Where a photo is drawn; empty at once if another one stood there before."""
    shown, key = st.session_state.get(_SHOWN), first.key
    st.session_state[_SHOWN] = key
    if shown == key:
        return st.container()
    if shown is not None and shown[2] != key[2]:
        st.query_params.pop(FACE, None)
    return st.empty().container()


def face_picker(found: ImageResult) -> int:
    """A strip of the photo's faces to choose from; the number of the one chosen, from 0.

    The choice is part of the page's address.
    """
    count = len(found.faces)
    if count < 2:
        st.html(_IN_VIEW % 0)
        st.query_params.pop(FACE, None)
        return 0
    asked = st.query_params.get(FACE, "1")
    number = int(asked) - 1 if asked.isdecimal() and 0 < int(asked) <= count else 0
    st.html(pictures.STYLE + _IN_VIEW % number)
    with st.container(horizontal=True, gap="small", key="faces"):
        for place, face in enumerate(found.faces):
            label = shown_answer(face)
            pictures.tile(
                pictures.face_alone(face),
                f"{place + 1} {label}",
                f"face {place}",
                _choose,
                place + 1,
                alt=f"Face {place + 1}, {label}",
                width=STRIP,
            )
    return number


def _choose(number: int) -> None:
    st.query_params[FACE] = str(number)


def _downloads(result: ImageResult, subject: Subject, style: Style) -> None:
    """Three buttons; their files are made at the click, not at every move of a slider."""
    photo = subject.picture.name
    found = cache.answers_of(result, subject.detector)
    labels = result.faces[0].prediction.labels

    def drawn() -> bytes:
        return png_bytes(annotate_picture(result, style))

    def numbers() -> str:
        return numbers_json(result, photo, subject.folder.name)

    def scores() -> str:
        return scores_csv([Outcome(photo, found)], labels)

    with st.container(horizontal=True):
        for title, content, data, name, kind in (
            (
                "PNG",
                "The picture with all that is drawn, in its own size",
                drawn,
                "explained.png",
                "image/png",
            ),
            ("JSON", "All numbers, maps included", numbers, "explanation.json", "application/json"),
            ("CSV", "A row of scores a face", scores, "scores.csv", "text/csv"),
        ):
            st.download_button(
                title,
                data,
                f"{PurePath(photo).stem}-{name}",
                kind,
                key=title,
                help=content,
                icon=":material/download:",
                on_click="ignore",
            )
