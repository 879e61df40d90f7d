"""The channels of one layer: their figures, their order, and their pictures."""

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.drawing import ColourMap, heat_image, overlay
from core.tabular import CsvWriter
from core.types import BLANK, Image

Order = Literal["mean", "peak", "number"]
Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """Of every channel, float64 (C,) each.

    Attributes:
        mean: Of all cells.
        peak: The value furthest from zero, with its sign.
        active: Share of cells above zero, 0 to 1.
    """

    mean: NDArray[np.float64]
    peak: NDArray[np.float64]
    active: NDArray[np.float64]


def figures(maps: Values) -> Figures:
    """Figures of the channels of float32 (C, h, w)."""
    cells = maps.reshape(len(maps), -1).astype(np.float64)
    furthest = np.abs(cells).argmax(axis=1)
    peak = cells[np.arange(len(cells)), furthest]
    return Figures(cells.mean(axis=1), peak, (cells > BLANK).mean(axis=1))


def ordered(found: Figures, by: Order) -> list[int]:
    """Channels, the strongest first, or as the network numbers them."""
    if by == "number":
        return list(range(len(found.mean)))
    strength = found.mean if by == "mean" else np.abs(found.peak)
    return [int(channel) for channel in np.argsort(-strength, kind="stable")]


def colours_of(maps: Values) -> ColourMap:
    """Colours for both signs where there are values of both."""
    return "diverging" if float(maps.min(initial=0.0)) < -BLANK else "inferno"


def scale_of(values: Values) -> float:
    """What the strongest colour stands for."""
    return float(np.abs(values).max(initial=0.0))


def channel_picture(values: Values, scale: float, colours: ColourMap, side: int) -> Image:
    """One channel float32 (h, w) as cells of one colour each, RGB uint8 (side, side, 3).

    Cells keep their edges, so that one sees how many there are.
    """
    height, width = values.shape
    cells = heat_image(values, scale, (height, width), colours)
    rows = np.arange(side) * height // side
    columns = np.arange(side) * width // side
    return np.ascontiguousarray(cells[rows][:, columns])


def channel_on_face(
    face: Image, values: Values, scale: float, colours: ColourMap, coverage: float
) -> Image:
    """One channel over the grey face, RGB uint8 like `face`."""
    return overlay(face, values, scale, colours=colours, coverage=coverage)


def as_csv(found: Figures) -> str:
    """A row a channel."""
    file = io.StringIO()
    writer = CsvWriter(file)
    writer.writerow(["channel", "mean", "peak", "active"])
    rows = zip(found.mean.tolist(), found.peak.tolist(), found.active.tolist(), strict=True)
    writer.writerows([channel, *row] for channel, row in enumerate(rows))
    return file.getvalue()
