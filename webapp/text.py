"""Words and numbers as they stand on the screen."""

from core.tabular import literal as literal  # drawn by every page
from core.tabular import percent as percent


def counted(number: int, singular: str, plural: str = "") -> str:
    """A count with its noun.

    >>> counted(1, "face"), counted(2388, "picture")
    ('1 face', '2,388 pictures')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def duration(seconds: float) -> str:
    """A length of time in two units at most.

    >>> duration(42), duration(4800), duration(200000)
    ('42 s', '1 h 20 min', '2 d 8 h')
    """
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    left = max(0, round(seconds))
    for number, (unit, length) in enumerate(units[:-1]):
        if left >= length:
            following, smaller = units[number + 1]
            rest = left % length // smaller
            return f"{left // length} {unit}" + (f" {rest} {following}" if rest else "")
    return f"{left} s"
