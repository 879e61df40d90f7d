"""Words and numbers as they stand on the screen."""

from core.tabular import literal as literal  # drawn by every page


def percent(share: float) -> str:
    """A share of 1 in percent with one decimal, for example "93.1 %"."""
    return f"{100 * share:.1f} %"


def counted(number: int, singular: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "face"), counted(2388, "picture")
    ('1 face', '2,388 pictures')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
