"""What others may have written: files read by the shape they must have, or refused with the reason.

Run folders, cards and reports come from other machines, other versions and strangers.  Whoever
reads one names its shape here, and uses no value that was not checked.  Free of torch.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

LARGEST = 64 * 2**20  # bytes of such a file; the largest of ours has two


class Unreadable(ValueError):  # noqa: N818 - read as "the file is unreadable"
    """A file is no JSON object of its shape; the text says what was found, expected and where."""


def read_shaped(path: Path, shape: Any) -> dict[str, Any]:  # noqa: ANN401 - a TypedDict
    """The object in a JSON file, with whatever keys it has beyond its shape.

    Raises:
        OSError: It is missing or cannot be read.
        Unreadable: It is too large, no JSON, or of another shape.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise Unreadable(f"it has {size:,} bytes, expected {LARGEST:,} at most")
    return shaped(path.read_bytes(), shape)


def shaped(content: bytes | str, shape: Any) -> dict[str, Any]:  # noqa: ANN401 - a TypedDict
    """The same for JSON at hand.

    Raises:
        Unreadable: It is no JSON, or of another shape.
    """
    try:
        # Told apart as `json.loads` does: UTF-8, UTF-16, with a mark or without.
        text = (
            content if isinstance(content, str) else content.decode(json.detect_encoding(content))
        )
        found: dict[str, Any] = json.loads(text.removeprefix("\ufeff"))
        if "\\ud" in text.lower():
            json.dumps(found, ensure_ascii=False).encode()  # halves of a character are no text
    except RecursionError:
        raise Unreadable("it is nested too deeply") from None
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise Unreadable(f"it holds text that is no Unicode ({error.reason})") from error
    except ValueError as error:
        raise Unreadable(f"it is no JSON ({error})") from error
    check_shape(found, shape)
    return found


def check_shape(values: object, shape: Any) -> None:  # noqa: ANN401 - a TypedDict
    """Refuse values of another shape.

    Raises:
        Unreadable: They are.
    """
    try:
        msgspec.convert(values, shape)
    except (msgspec.ValidationError, OverflowError, RecursionError) as error:
        raise Unreadable(_sentence(str(error))) from error


def shaped_or_empty(path: Path, shape: Any) -> dict[str, Any]:  # noqa: ANN401 - a TypedDict
    """As `read_shaped`; empty where there is no such file or it cannot be read."""
    try:
        return read_shaped(path, shape)
    except (OSError, Unreadable):
        return {}


def _sentence(said: str) -> str:
    """The library's "Expected `int`, got `str` - at `$.pid`" in words for people."""
    what, _, place = said.replace("`", "").partition(" - at ")
    if "matching regex" in what:
        what = "Expected a name without control characters and markup"
    where = place.removeprefix("$").removeprefix(".")
    return f"{where}: {what[:1].lower()}{what[1:]}" if where else f"{what[:1].lower()}{what[1:]}"
