"""A chart's words can be read, its picture is told in words, and its numbers are a table."""

import tomllib

import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.elements.lib import streamlit_plotly_theme as theme

from core.labels import COLOURS
from core.paths import PROJECT_ROOT
from webapp.chart_frame import (
    chart_rows,
    described,
    emotion_column,
    legible,
    share_columns,
    table_height,
    tint,
    wrapping_table,
)
from webapp.charts import DIVERGING, SEQUENTIAL, TEXT
from webapp.charts.dataset import feature_map, origin_table
from webapp.charts.results import confusion_heat


def test_the_stand_ins_are_those_that_streamlit_replaces() -> None:
    assert TEXT == theme.GRAY_90
    assert [colour for _, colour in SEQUENTIAL] == [
        getattr(theme, f"SEQUENTIAL_{step}") for step in range(10)
    ]
    assert [colour for _, colour in DIVERGING] == [
        getattr(theme, f"DIVERGING_{step}") for step in range(10)
    ]


def test_all_words_of_a_chart_get_the_colour_of_the_text() -> None:
    layout = legible(go.Figure(go.Bar(x=["a"], y=[1]))).layout

    assert layout.font.color == layout.legend.font.color == TEXT
    assert layout.xaxis.tickfont.color == layout.yaxis.title.font.color == TEXT


def test_lines_over_the_same_places_share_the_rows_of_a_table() -> None:
    figure = go.Figure([
        go.Scatter(x=[1, 2], y=[0.25, 0.5], name="training"),
        go.Scatter(x=[2, 3], y=[0.125, None], name="validation"),
    ])  # fmt: skip
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(tickformat=".1%")

    assert chart_rows(figure) == [
        {"epoch": "1", "training": "25.0 %", "validation": ""},
        {"epoch": "2", "training": "50.0 %", "validation": "12.5 %"},
        {"epoch": "3", "training": "", "validation": ""},
    ]


def test_flat_bars_have_their_names_first() -> None:
    figure = go.Figure(go.Bar(x=[0.0625, 12345.678], y=["mouth", "brows"], orientation="h"))

    assert chart_rows(figure) == [
        {"name": "mouth", "value": "0.0625"},
        {"name": "brows", "value": "12,346"},
    ]


def test_a_heat_map_is_a_table_of_its_own_rows_and_columns() -> None:
    heat = confusion_heat([[30, 10], [1, 3]], ["happiness", "fear"], "counts", "A run")

    assert chart_rows(heat) == [
        {"": "happiness", "happiness": "30", "fear": "10"},
        {"": "fear", "happiness": "1", "fear": "3"},
    ]


def test_a_heat_map_without_texts_is_a_table_of_its_values() -> None:
    heat = go.Heatmap(
        z=[[0.9961, 0.0], [0.5, 1]], x=["happiness", "fear"], y=["portraits", "others"]
    )

    assert chart_rows(go.Figure(heat)) == [
        {"": "portraits", "happiness": "0.9961", "fear": "0"},
        {"": "others", "happiness": "0.5", "fear": "1"},
    ]


def test_origins_are_the_columns_of_their_table_with_room_for_names_in_lines() -> None:
    shares = {
        "Folder of class folders": {"happiness": 0.9961, "fear": 0.0},
        "others": {"happiness": 0.5, "fear": 0.1667},
    }

    figure = origin_table(shares)

    assert chart_rows(figure) == [
        {"": "happiness", "Folder of class folders": "99.6 %", "others": "50.0 %"},
        {"": "fear", "Folder of class folders": "0.0 %", "others": "16.7 %"},
    ]
    assert figure.layout.xaxis.ticktext == ("Folder of<br>class<br>folders", "others")
    assert figure.layout.height == 120 + 2 * 34
    assert figure.data[0].showscale is False


@pytest.mark.parametrize(("count", "size"), [(1, 14), (200, 11), (500, 7), (4000, 5)])
def test_few_points_of_a_map_are_large(count: int, size: int) -> None:
    points = pd.DataFrame({"x": range(count), "y": 0.0, "id": range(count), "label": "fear",
                           "source": "drawn", "predicted": "fear"})  # fmt: skip

    marker = feature_map(points, "label", ["fear"]).data[0].marker
    assert marker.size == size
    assert marker.line.color == TEXT  # seen on a light and on a dark page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([3, 4], "loss: 3 at 0, 4 at 1"),
        (list(range(20)), "loss: 0 at 0, 18 values between, 19 at 19"),
        ([], "An empty chart"),
    ],
)
def test_few_values_are_said_one_by_one_of_many_the_ends(values: list[int], words: str) -> None:
    figure = go.Figure(go.Scatter(x=list(range(len(values))), y=values, name="loss"))

    assert described(figure) == words


def test_expressions_have_their_colours_in_tables() -> None:
    chips = emotion_column(["happiness", "bliss"])["type_config"]
    bars = share_columns(["fear"])["fear"]

    assert [option["color"] for option in chips["options"]] == [
        tint(COLOURS["happiness"]), tint(COLOURS["neutral"]),
    ]  # fmt: skip
    assert (bars["label"], bars["type_config"]["color"]) == ("fear %", COLOURS["fear"])
    assert bars["type_config"]["max_value"] == 100


def luminance(colour: str) -> float:
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("label", COLOURS)
def test_names_of_expressions_are_black_on_their_chips(label: str) -> None:
    chip = tint(COLOURS[label])

    assert luminance(chip) > 0.5  # from here on Streamlit writes in black
    assert contrast(chip, "#000000") >= 4.5


@pytest.mark.parametrize(("theme_name", "text"), [("light", "#262730"), ("dark", "#FAFAFA")])
def test_text_can_be_read_on_every_shade_of_the_scales(theme_name: str, text: str) -> None:
    settings = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text())
    scales = settings["theme"][theme_name]

    for name in ("chartSequentialColors", "chartDivergingColors"):
        assert len(scales[name]) == 10
        assert min(contrast(text, shade) for shade in scales[name]) >= 4.5


def test_captions_and_their_links_can_be_read_on_light_pages() -> None:
    colours = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text())["theme"]

    for name in ("textColor", "linkColor"):
        faded = tint(colours["light"][name], 0.4)  # captions show 60 %
        assert contrast(faded, "#F8F8F7") >= 4.5


def test_a_table_of_three_rows_is_four_high_with_its_head() -> None:
    assert table_height(3) == 4 * 35 + 3


def test_a_wrapping_table_holds_texts_only_and_marks_what_it_is_told_to() -> None:
    said = wrapping_table(
        ("Network", "A & B"), [("<b>", "1 *\n0 to 2"), ("two", "-")], "figures",
        least="4rem", marked="two", strange=" *",
    )  # fmt: skip

    assert (
        '<tr><th class="name" scope="col">Network</th><th scope="col">A &amp; B</th></tr>' in said
    )
    assert '<th class="name" scope="row">&lt;b&gt;</th><td class="strange">1 *<small>' in said
    assert '<tr class="marked"><th class="name" scope="row">two</th><td>-</td></tr>' in said
    assert 'style="--columns: repeat(1, minmax(4rem, 1fr))"' in said
