"""Figure 1: every dot is as high as its figure, and says whose it is."""

import re
from typing import Any

import pytest

from webapp.charts.accuracy_dots import HEIGHT, accuracy_dots

MEASURED: dict[str, Any] = {
    "label": "a & b",
    "published": 83.3,
    "measured": 84.0,
    "interval": [82.5, 85.5],
    "run": "<r>",
}
NOT_MEASURED: dict[str, Any] = {
    "label": "c",
    "published": 81.3,
    "measured": None,
    "interval": None,
    "run": None,
}


def found(text: str, pattern: str) -> list[float]:
    return [float(number) for number in re.findall(pattern, text)]


def test_heights_are_shares_of_what_lies_above_the_lowest_line() -> None:
    html = accuracy_dots([MEASURED, NOT_MEASURED], 84.1, "Accuracies")

    # from 70 (a whole ten at least ten below 81.3) to 100
    assert found(html, r'"line" style="bottom:[^"]*"><b>(\d+)') == [70, 80, 90, 100]
    expected = [100 * (value - 70) / 30 for value in (83.3, 84.0, 81.3)]
    assert found(html, r'"dot" style="bottom:([\d.]+)%') == pytest.approx(expected, abs=0.01)
    assert HEIGHT >= 250


def test_whiskers_reach_from_end_to_end_of_the_interval() -> None:
    html = accuracy_dots([MEASURED, NOT_MEASURED], 84.1, "Accuracies")

    low, high = re.findall(r'"ends" style="bottom:([\d.]+)%;top:calc\(100% - ([\d.]+)%', html)[0]
    assert float(low) == pytest.approx(100 * 12.5 / 30, abs=0.01)
    assert float(high) == pytest.approx(100 * 15.5 / 30, abs=0.01)
    assert html.count('class="ends"') == 1


def test_a_row_not_measured_has_the_published_dot_alone() -> None:
    html = accuracy_dots([NOT_MEASURED], 84.1, "Accuracies")

    assert re.findall(r'title="([^"]*)"', html) == ["c, published: 81.3 %"]


def test_what_rows_and_runs_are_called_stays_text() -> None:
    html = accuracy_dots([MEASURED], 84.1, "Accuracies")

    assert re.findall(r'title="([^"]*)"', html) == [
        "a &amp; b, published: 83.3 %",
        "a &amp; b, measured by &lt;r&gt; (82.5 to 85.5): 84.0 %",
    ]
    assert "<span>a &amp; b</span>" in html


def test_the_line_of_the_raters_says_what_it_is() -> None:
    html = accuracy_dots([NOT_MEASURED], 84.1, "Accuracies")

    assert found(html, r'"rater" style="bottom:([\d.]+)%') == [pytest.approx(47.0, abs=0.01)]
    assert "FER+: 84.1 %" in html


def test_a_rater_below_all_dots_is_still_on_the_plot() -> None:
    html = accuracy_dots([NOT_MEASURED], 55.0, "Accuracies")

    assert found(html, r'"rater" style="bottom:([\d.]+)%')[0] > 0


def test_the_chart_is_read_aloud_as_one_picture() -> None:
    html = accuracy_dots([NOT_MEASURED], 84.1, "Published & measured")

    assert 'role="img" tabindex="0" aria-label="Published &amp; measured"' in html
