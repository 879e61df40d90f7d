"""Labels that file and folder names carry, as in the paper's data: `NAME_emotion.jpg`."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from core.labels import canonical


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
