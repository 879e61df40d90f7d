"""Every layer and channel of a network, for one face."""

from pathlib import PurePath

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain import Layer, layer_outputs
from core.images import png_bytes
from core.types import Image
from webapp import pictures
from webapp.chart_frame import draw_chart
from webapp.charts.bars import FEW, value_bars
from webapp.image_explanation.subject import BY_FACE, Subject
from webapp.layer_activations import channels
from webapp.picture_rows import Tile, tiles_sheet
from webapp.pictures import FACE
from webapp.text import counted, percent

CHANNEL, LAYER = "channel", "layer of the channel"
PAGE_SIZE = 24  # channels
ORDERS: dict[str, channels.Order] = {
    "Mean": "mean",
    "Peak": "peak",
    "Number": "number",
}
COLUMNS = 6  # of the figure to take away


@st.cache_resource(scope="session", max_entries=24, show_spinner=False, hash_funcs=BY_FACE)
def outputs(subject: Subject, layer: str) -> tuple[NDArray[np.float32], ...]:
    """What the layer gives, once for each time it runs: float32 (C, h, w) or (C,).

    Raises:
        CoreError: There is no such layer.
    """
    found = layer_outputs(subject.predictor.model, subject.batch(), layer)
    return tuple(output[0].numpy().astype(np.float32, copy=False) for output in found)


def title(layer: Layer) -> str:
    """A layer with what it gives, as a line of the list."""
    count, *sides = layer.shape
    size = f" of {sides[0]} x {sides[1]}" if sides else ""
    runs = f", runs {layer.calls} times" if layer.calls > 1 else ""
    unit = counted(count, "channel" if sides else "value")
    return f"{layer.name}: {layer.kind}, {unit}{size}{runs}"


def browsable(layers: list[Layer]) -> list[Layer]:
    """Those with channels in front: of as many rows as columns of cells, or single values."""
    return [
        layer
        for layer in layers
        if len(layer.shape) == 1 or (len(layer.shape) == 3 and layer.shape[1] == layer.shape[2])
    ]


def show(subject: Subject, layer: Layer) -> None:
    """Draw the layer.

    Raises:
        CoreError: The layer cannot be run.
    """
    found = outputs(subject, layer.name)
    run = 0
    if len(found) > 1:
        run = st.segmented_control(
            "This layer runs several times in one pass",
            range(len(found)),
            default=0,
            required=True,
            format_func=lambda number: f"Run {number + 1}",
            key=f"run of {len(found)}",
        )
    values = found[run]
    if values.ndim == 1 or values.shape[1:] == (1, 1):
        _single_values(subject, layer, values.reshape(-1))
    else:
        _maps(subject, layer, values)


def _single_values(subject: Subject, layer: Layer, values: NDArray[np.float32]) -> None:
    """A layer without cells: one value a channel."""
    st.caption("This layer has no places left: each channel is a single number.")
    labels = subject.predictor.labels
    are_logits = layer.kind != "AdaptiveAvgPool2d" and len(values) == len(labels)
    names = labels if are_logits else tuple(f"channel {n}" for n in range(len(values)))
    draw_chart(
        value_bars(values.tolist(), names),
        key="values",
        numbers=len(values) > FEW,
        alt=f"{len(values)} values from {values.min():.2f} to {values.max():.2f}",
    )
    _numbers_button(subject, layer, channels.figures(values[:, None, None]))


def _maps(subject: Subject, layer: Layer, maps: NDArray[np.float32]) -> None:
    facts = channels.figures(maps)
    first, second = st.columns([3, 2], vertical_alignment="bottom")
    by = first.segmented_control(
        "Order by", list(ORDERS), default=next(iter(ORDERS)), required=True, key="channel order"
    )
    shared = second.toggle(
        "One colour scale for all channels",
        key="shared",
        help="On, channels can be compared; off, weak ones can be seen as well.",
    )
    order = channels.ordered(facts, ORDERS[by])
    place = (subject.key, layer.name)
    if st.session_state.get(LAYER) != place:  # another face or layer begins with its strongest
        st.session_state.update({LAYER: place, CHANNEL: order[0]})
    st.session_state.setdefault(CHANNEL, order[0])
    scale = channels.scale_of(maps) if shared else None
    number: int = st.session_state[CHANNEL]
    preprocess = subject.predictor.card.preprocess
    coverage = preprocess.crop / preprocess.size
    picture = enlarged_picture(
        pictures.face_alone(subject.face), maps, number, scale, coverage=coverage
    )
    _enlarged(maps, facts, number, picture)
    page = _page(layer, len(order))
    shown = order[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    _grid(maps, facts, shown, scale)
    _files(subject, layer, maps, facts, shown, scale, picture)


def _page(layer: Layer, count: int) -> int:
    """Number of the page, from 1; each layer begins with its first."""
    pages = -(-count // PAGE_SIZE)
    return int(st.pagination(pages, key=f"page {layer.name} {count}")) if pages > 1 else 1


def _grid(
    maps: NDArray[np.float32], facts: channels.Figures, shown: list[int], scale: float | None
) -> None:
    st.html(pictures.STYLE)
    colours = channels.colours_of(maps)
    st.caption(
        "Below each picture: channel and mean activation. Click one to enlarge it above. "
        + (
            "Violet is above zero, yellow-green below."
            if colours == "diverging"
            else "Black is zero, bright is high."
        )
    )
    with st.container(horizontal=True, gap="small"):
        for channel in shown:
            own = channels.scale_of(maps[channel]) if scale is None else scale
            pictures.tile(
                channels.channel_picture(maps[channel], own, colours, pictures.TILE),
                f"{channel}: {round(float(facts.mean[channel]), 2) + 0.0:.2f}",
                f"channel {channel}",
                _enlarge,
                channel,
                alt=f"Channel {channel}",
                explained=f"Channel {channel}: mean {facts.mean[channel]:.3g}, "
                f"peak {facts.peak[channel]:.3g}",
            )


def _enlarge(channel: int) -> None:
    st.session_state[CHANNEL] = channel


def _enlarged(
    maps: NDArray[np.float32], facts: channels.Figures, number: int, picture: Image
) -> None:
    """One channel over the face, by itself, and in numbers."""
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    right.number_input("Channel", 0, len(maps) - 1, key=CHANNEL)
    words = ", ".join(("the face", f"channel {number}", "channel on the face"))
    pictures.draw(left, picture, "channel", alt=words)
    height, width = maps.shape[1:]
    right.markdown(
        f"Mean **{facts.mean[number]:.3g}**, peak **{facts.peak[number]:.3g}**, above zero in "
        f"**{percent(float(facts.active[number]))}** of its {height} x {width} places."
    )
    below = (
        "; broken ones, those furthest below zero"
        if channels.colours_of(maps) == "diverging"
        else ""
    )
    left.caption(
        "The face, the channel, and the channel on the face, where lines ring its strongest "
        f"places{below}."
    )
    if channels.scale_of(maps[number]) == 0:
        right.info("This channel is zero everywhere: the layer finds nothing here on this face.")


def enlarged_picture(
    face: Image, maps: NDArray[np.float32], number: int, scale: float | None, *, coverage: float
) -> Image:
    """Face, channel, and the channel on the face, side by side; RGBA uint8 (FACE, w, 4).

    Args:
        face: RGB uint8 (FACE, FACE, 3).
        maps: All channels of the layer, float32 (C, h, w).
        number: Of the channel.
        scale: What the strongest colour stands for; None for the channel's own largest value.
        coverage: Share of the face's side that the network sees.
    """
    colours = channels.colours_of(maps)
    own = channels.scale_of(maps[number]) if scale is None else scale
    grey = cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    both = channels.channel_on_face(
        np.asarray(grey, np.uint8), maps[number], own, colours, coverage
    )
    alone = channels.channel_picture(maps[number], own, colours, FACE)
    return pictures.side_by_side(face, alone, both)


def _files(
    subject: Subject,
    layer: Layer,
    maps: NDArray[np.float32],
    facts: channels.Figures,
    shown: list[int],
    scale: float | None,
    enlarged: Image,
) -> None:
    """Buttons; what they hand out is made at the click, from values at hand."""
    number: int = st.session_state[CHANNEL]
    colours = channels.colours_of(maps)

    def grid() -> bytes:
        drawn = [
            Tile(
                channels.channel_picture(
                    maps[n], channels.scale_of(maps[n]) if scale is None else scale, colours, 224
                ),
                f"Channel {n}",
                (f"{n}: mean {facts.mean[n]:.3g}",),
            )
            for n in shown
        ]
        return tiles_sheet(drawn, title(layer), COLUMNS).png()

    with st.container(horizontal=True):
        for words, data, name in (
            ("Channel (PNG)", lambda: png_bytes(enlarged), f"-{number}"),
            ("This page (PNG)", grid, ""),
        ):
            st.download_button(
                words,
                data,
                f"{_stem(subject, layer)}{name}.png",
                "image/png",
                key=words,
                icon=":material/download:",
                on_click="ignore",
            )
        _numbers_button(subject, layer, facts)


def _numbers_button(subject: Subject, layer: Layer, facts: channels.Figures) -> None:
    st.download_button(
        "All channels (CSV)",
        lambda: channels.as_csv(facts),
        f"{_stem(subject, layer)}.csv",
        "text/csv",
        key="channels csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _stem(subject: Subject, layer: Layer) -> str:
    return f"{PurePath(subject.picture.name).stem}-face{subject.number + 1}-{layer.name}"
