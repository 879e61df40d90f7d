"""Text on the screen means what it says, whatever a file is called."""

import pytest

from webapp.text import counted, literal, percent


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text, 3.5 %", "plain text, 3.5 %"),
        ("*a* _b_", r"\*a\* \_b\_"),
        ("![x](http://a)", r"!\[x\](http\://a)"),
        ("<script>", r"\<script\>"),
        ("$x$ :material/home:", r"\$x\$ \:material/home\:"),
        ("two\n\nlines", "two lines"),
        ("back\\slash", r"back\\slash"),
    ],
)
def test_markup_is_shown_and_not_read(text: str, escaped: str) -> None:
    assert literal(text) == escaped


def test_shares_are_percentages_with_one_decimal() -> None:
    assert percent(0.9349) == "93.5 %"
    assert percent(1.0) == "100.0 %"


def test_counts_agree_with_their_noun() -> None:
    assert counted(0, "face") == "0 faces"
    assert counted(1, "face") == "1 face"
    assert counted(2388, "picture") == "2,388 pictures"
    assert counted(2, "copy", "copies") == "2 copies"
