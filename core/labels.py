"""The classes: their sets, colours, foreign names, and a label found in a file's name."""

import re
from collections.abc import Sequence
from pathlib import PurePath

EMOTIONS: tuple[str, ...] = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
NEUTRAL = "neutral"
CLASS_SETS: dict[str, tuple[str, ...]] = {
    "six": EMOTIONS,
    "seven": (*EMOTIONS, NEUTRAL),
}
# Okabe and Ito (2008), told apart with any common colour blindness; hex RGB.
COLOURS: dict[str, str] = {
    "happiness": "#E69F00",
    "surprise": "#56B4E9",
    "sadness": "#0072B2",
    "anger": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "neutral": "#8A8A8A",
}
_FOREIGN = {
    "happy": "happiness",
    "joy": "happiness",
    "joyful": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "scared": "fear",
    "neutrality": "neutral",
}
WORDS: tuple[str, ...] = (*COLOURS, *_FOREIGN)  # names that `canonical` knows


def colour(label: str) -> str:
    """The colour of a class, hex RGB; that of neutral where it is none of ours."""
    return COLOURS.get(label, COLOURS[NEUTRAL])


def canonical(name: str) -> str | None:
    """Translate a folder or column name to ours; None where it is no expression we know.

    >>> canonical("Happy"), canonical("contempt")
    ('happiness', None)
    """
    key = name.strip().lower()
    key = _FOREIGN.get(key, key)
    return key if key in COLOURS else None


def synonyms(label: str) -> list[str]:
    """The other names of a class that `canonical` knows.

    >>> synonyms("anger")
    ['angry']
    """
    return [word for word, meant in _FOREIGN.items() if meant == label]


def label_in_name(path: str | PurePath, labels: Sequence[str]) -> str | None:
    """The label a path carries: the last word of the file's name, else a folder's name.

    The innermost folder that names a label counts. Foreign names such as "happy" are understood.

    >>> label_in_name("test/angry/0001_happiness.jpg", ["happiness", "anger"])
    'happiness'
    >>> label_in_name("test/angry/0001.jpg", ["happiness", "anger"])
    'anger'

    Args:
        path: Of a picture, `/` between folders.
        labels: The model's classes; other words are no label.
    """
    path = PurePath(path)
    last_word = re.split(r"[_\-. ]", path.stem)[-1]
    for word in (last_word, *reversed(path.parts[:-1])):
        found = canonical(word)
        if found in labels:
            return found
    return None
