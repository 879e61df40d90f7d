"""The drawing on the home page is made of whole, self-contained pictures."""

import base64
import re
from xml.etree import ElementTree

from core.labels import CLASS_SETS, COLOURS
from webapp.svg import pipeline_html


def drawings() -> list[str]:
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', pipeline_html())
    return [base64.b64decode(one).decode() for one in found]


def test_there_are_six_steps_of_valid_drawings() -> None:
    roots = [ElementTree.fromstring(svg) for svg in drawings()]

    assert [root.tag for root in roots] == ["{http://www.w3.org/2000/svg}svg"] * 6
    assert all(len(root) for root in roots)


def test_nothing_is_fetched_from_elsewhere() -> None:
    parts = [pipeline_html(), *drawings()]

    links = [link for part in parts for link in re.findall(r"https?://[^\"\s)]+", part)]
    assert set(links) <= {"http://www.w3.org/2000/svg"}  # the name of the format


def test_the_bars_have_the_colours_of_the_expressions() -> None:
    bars = drawings()[4]

    expected = [COLOURS[emotion] for emotion in CLASS_SETS["seven"]]
    assert re.findall(r'fill="(#\w+)"', bars) == expected
