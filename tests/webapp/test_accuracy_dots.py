"""Figure 1: every dot lies as far right as its figure, and says whose it is, after how long."""

import re
from typing import Any

import pytest

from webapp.charts.accuracy_dots import accuracy_dots

MEASURED: dict[str, Any] = {
    "label": "a & b",
    "published": 83.3,
    "measured": 84.0,
    "interval": [82.5, 85.5],
    "run": "<r>",
    "epochs": 44,
    "epochs_in_words": "44",
}
NOT_MEASURED: dict[str, Any] = {
    "label": "c",
    "published": 81.3,
    "measured": None,
    "interval": None,
    "run": None,
    "epochs": 0,
    "epochs_in_words": "",
}


def drawn(*rows: dict[str, Any]) -> str:
    return accuracy_dots(rows, few=10, most=80, alt="Published & measured")


def found(text: str, pattern: str) -> list[float]:
    return [float(number) for number in re.findall(pattern, text)]


def kinds(html: str) -> list[str]:
    """The marks in the plots, without those of the key."""
    return re.findall(r'<div class="mark ([^"]*)"', html)


def test_places_are_shares_of_what_lies_right_of_the_lowest_line() -> None:
    html = drawn(MEASURED, NOT_MEASURED)

    # from 80 (a whole ten at least one below 81.3) to 100
    assert found(html, r'"tick" style="left:[^"]*">(\d+)') == [80, 90, 100]
    assert found(html, r'"tick" style="left:([\d.]+)%') == [0, 50, 100]
    expected = [100 * (value - 80) / 20 for value in (83.3, 84.0, 81.3)]
    assert found(html, r'"mark [^"]*" style="left:([\d.]+)%') == pytest.approx(expected, abs=0.01)


def test_a_dot_on_a_whole_ten_is_not_on_the_edge() -> None:
    html = drawn({**NOT_MEASURED, "published": 80.0})

    assert found(html, r'"tick" style="left:[^"]*">(\d+)') == [70, 80, 90, 100]


def test_whiskers_reach_from_the_ends_of_the_interval_to_the_dot() -> None:
    html = drawn(MEASURED, NOT_MEASURED)

    low, to = re.findall(r'"end low" style="left:([\d.]+)%;right:calc\(100% - ([\d.]+)%', html)[0]
    start, high = re.findall(
        r'"end high" style="left:calc\(([\d.]+)%[^;]*;right:calc\(100% - ([\d.]+)%', html
    )[0]
    places = [float(place) for place in (low, to, start, high)]
    assert places == pytest.approx([12.5, 20, 20, 27.5], abs=0.01)
    assert html.count('class="end ') == 2


def test_a_row_not_measured_has_the_published_mark_alone_and_says_so() -> None:
    html = drawn(NOT_MEASURED)

    assert re.findall(r'title="([^"]*)"', html) == ["c, published: 81.3 %"]
    assert kinds(html) == ["published"]
    assert "<span>not measured</span>" in html


def test_what_rows_and_runs_are_called_stays_text() -> None:
    html = drawn(MEASURED)

    assert re.findall(r'title="([^"]*)"', html) == [
        "a &amp; b, published: 83.3 %",
        "a &amp; b, measured by &lt;r&gt; after 44 epochs (82.5 to 85.5): 84.0 %",
    ]
    assert '<div class="name">a &amp; b</div>' in html


@pytest.mark.parametrize(
    ("epochs", "kind", "words"),
    [
        (1, "here few", "here 84.0, 1 epoch<"),
        (9, "here few", "here 84.0, 9 epochs<"),
        (10, "here", "here 84.0, 10 epochs<"),
        (0, "here", "here 84.0<"),
    ],
)
def test_dots_of_few_epochs_are_open_and_all_say_how_many(
    epochs: int, kind: str, words: str
) -> None:
    html = drawn({**MEASURED, "epochs": epochs, "epochs_in_words": str(epochs or "")})

    assert kinds(html) == ["published", kind]
    assert "<span>paper 83.3</span>" in html
    assert words in html


def test_epochs_of_earlier_runs_are_told_and_counted() -> None:
    html = drawn({**MEASURED, "epochs": 12, "epochs_in_words": "at least 8 + 4"})

    assert kinds(html) == ["published", "here"]
    assert "here 84.0, at least 8 + 4 epochs<" in html
    many = drawn({**MEASURED, "epochs": 144, "epochs_in_words": "144 in 5 runs"})
    assert "here 84.0, 144 epochs<" in many


def test_the_key_says_what_is_open_and_how_long_the_paper_trained() -> None:
    html = drawn(NOT_MEASURED)

    assert "the paper's, after up to 80 epochs" in html
    assert "after fewer than 10 epochs, the paper's least" in html


def test_the_chart_is_read_aloud_as_one_picture_with_its_figures() -> None:
    html = drawn(MEASURED, NOT_MEASURED)

    assert (
        'role="img" aria-label="Published &amp; measured: '
        "a &amp; b: 83.3 % published, 84.0 % measured here after 44 epochs; "
        'c: 81.3 % published, not measured here"'
    ) in html
