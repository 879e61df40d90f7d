"""Class sets, their colours, and what other data sets call the same expressions."""

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
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "neutrality": "neutral",
}


def canonical(name: str) -> str | None:
    """Translate a folder or column name to ours; None where it is no expression we know.

    >>> canonical("Happy"), canonical("contempt")
    ('happiness', None)
    """
    key = name.strip().lower()
    key = _FOREIGN.get(key, key)
    return key if key in COLOURS else None
