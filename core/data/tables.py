"""Tables of text, as contests, scripts and spreadsheets write them.

Cells lie between commas, semicolons, tabs or bars, in lists also between blanks.  The text is UTF-8
or UTF-16, with or without a byte order mark, else Windows' western code page.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from core.data.containers import TEXT_TABLES, Container, suffix
from core.errors import DataError
from core.files import UNREADABLE, unreadable

CELL = 32 * 2**20  # characters of a row with pixels; 2048 x 2048 have 17 million
ROW = 2**17  # characters of any other row; those of published lists have some thousand
MOST_ROWS = 2_000_000  # AffectNet's lists have 420 thousand
BLANKS = " "  # delimiter of lists whose last word is the value: `a photo.jpg 3`
_HEAD = 2**16  # bytes that show encoding and header
_FEW = 20  # more text files than this are notes to single pictures, no tables
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is written.

    Attributes:
        encoding: Python's name.
        delimiter: One character; BLANKS for any white space before the last word.
        hinted: Whether the first line only names the delimiter, as in Excel's `sep=;`.
        first: Cells of the first line, without the blanks around them.
    """

    encoding: str
    delimiter: str
    hinted: bool
    first: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The first line as names: lower case, `_` for blanks and hyphens."""
        return tuple(re.sub(r"[\s-]+", "_", cell.lower()) for cell in self.first)


def tables(container: Container) -> list[str]:
    """Members that are tables by their suffix; not the text files that go with single pictures."""
    found = [member for member in container.members if suffix(member) in TEXT_TABLES]
    texts = sum(suffix(member) == ".txt" for member in found)
    return [member for member in found if texts <= _FEW or suffix(member) != ".txt"]


def forms(container: Container) -> dict[str, Form]:
    """The tables whose beginning can be read, and how each is written."""
    return {name: one for name, one in _looked_at(container).items() if isinstance(one, Form)}


def damaged(container: Container) -> dict[str, str]:
    """The tables that cannot be read, and why."""
    return {name: one for name, one in _looked_at(container).items() if isinstance(one, str)}


def _looked_at(container: Container) -> dict[str, Form | str]:
    found: dict[str, Form | str] = {}
    for member in tables(container):
        try:
            found[member] = form_of(container, member)
        except DataError as error:
            found[member] = str(error)
    return found


def refuse_damaged(container: Container) -> None:
    """Refuse a container whose tables give the labels, where one of them cannot be read.

    Raises:
        DataError: One cannot.
    """
    for reason in damaged(container).values():
        raise DataError(reason)


def form_of(container: Container, member: str) -> Form:
    """Look at the beginning of a table.

    Raises:
        DataError: It cannot be read.
    """
    with _opened(container, member) as file:
        head = file.read(_HEAD)
    encoding = _encoding(head)
    lines = io.StringIO(head.decode(encoding, errors="replace"), newline=None).read().split("\n")
    hint = re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\ufeff \r"), re.IGNORECASE)
    line = next((one for one in lines[1 if hint else 0 :] if one.strip()), "")
    delimiter = hint.group(1) if hint else _delimiter(line, suffix(member))
    cells = next(_split([line], delimiter), [])
    return Form(encoding, delimiter, hint is not None, tuple(cell.strip() for cell in cells))


def raw_rows(container: Container, member: str, form: Form | None = None) -> Iterator[list[str]]:
    """Rows of a table with at least one filled cell, the header among them.

    Args:
        container: Has the table.
        member: The table's name.
        form: As `form_of` found it; None to look again.

    Raises:
        DataError: It cannot be read, is no table of text, or has more or longer rows than any set.
    """
    form = form or form_of(container, member)
    csv.field_size_limit(CELL)  # 131,072 by default, 180 x 180 pixels
    with (
        _opened(container, member) as file,
        io.TextIOWrapper(file, form.encoding, errors="replace", newline="") as text,
    ):
        lines = _Lines(text, member, CELL if "pixels" in form.columns else ROW)
        if form.hinted:
            next(lines, None)
        number = 0
        try:
            for row in _split(lines, form.delimiter):
                lines.begin_row()
                if not any(map(str.strip, row)):
                    continue
                if number == MOST_ROWS:
                    raise DataError(
                        f"{member} has more than {MOST_ROWS:,} rows. Divide pictures and table "
                        "into several sources."
                    )
                number += 1
                yield row
        except csv.Error as error:
            raise DataError(f"{member} cannot be read as a table of text: {error}.") from error


def named_rows(container: Container, member: str) -> Iterator[dict[str, str]]:
    """Rows below the header, by the names that `Form.columns` gives; cells without outer blanks."""
    form = form_of(container, member)
    rows = raw_rows(container, member, form)
    next(rows, None)
    for row in rows:
        yield dict(zip(form.columns, map(str.strip, row), strict=False))


@contextmanager
def _opened(container: Container, member: str) -> Iterator[BinaryIO]:
    """A table's bytes; what keeps them from being read is told in words, however far it was."""
    try:
        with container.open(member) as file:
            yield file
    except UNREADABLE as error:
        raise DataError(unreadable(member, error)) from error


class _Lines:
    """Lines of a table, of which no row may have more than so many characters.

    A small archive may hold a line that no memory takes.
    """

    def __init__(self, text: io.TextIOWrapper, member: str, most: int) -> None:
        self._text, self._member, self._most = text, member, most
        self._left = most

    def begin_row(self) -> None:
        """Count the next line as the first of a row; quoted cells may have several."""
        self._left = self._most

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise DataError(
                f"{self._member} has a row of more than {self._most:,} characters; expected a line "
                "for each picture. Check the file, or take it out."
            )
        return line


def _split(lines: Iterable[str], mark: str) -> Iterator[list[str]]:
    if mark == BLANKS:
        return (line.rsplit(None, 1) for line in lines)
    return csv.reader(lines, delimiter=mark)


def _delimiter(line: str, ending: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    counts = {mark: bare.count(mark) for mark in _DELIMITERS}
    best = max(counts, key=counts.__getitem__)
    if counts[best]:
        return best
    return BLANKS if ending == ".txt" else ","


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = head[first:1000:2]
        if half and half.count(0) > len(half) // 2:
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
