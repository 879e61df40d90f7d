"""Words and numbers as they stand on the screen."""

import re

# Characters that Streamlit's Markdown reads as formatting, links, formulae, icons or HTML.
_MARKUP = re.compile(r"([\\`*_~$:<>|\[\]])")


def literal(text: str) -> str:
    """The text with everything escaped that Markdown would read as more than text.

    Names of uploaded files and texts of errors go through here: a file may be called anything.
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def percent(share: float) -> str:
    """A share of 1 in percent with one decimal, for example "93.1 %"."""
    return f"{100 * share:.1f} %"


def counted(number: int, singular: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "face"), counted(2388, "picture")
    ('1 face', '2,388 pictures')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
