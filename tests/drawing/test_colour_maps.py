"""Colours on one fixed scale."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from core.drawing.colour_maps import (
    AGAINST,
    FOR,
    NEITHER,
    ColourMap,
    colour_table,
    cover,
    paint,
    strength,
)
from core.drawing.panels import colour_of
from core.errors import ExplainError
from core.labels import COLOURS


def values(*rows: list[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, dtype=np.float32)


def test_strength_divides_by_the_given_scale_and_not_by_the_maps_own() -> None:
    found = strength(values([0.0, 1.0, 2.0, 8.0, -2.0]), 4.0, "inferno")

    np.testing.assert_allclose(found, [[0, 0.25, 0.5, 1, 0]])


def test_signed_strength_keeps_what_speaks_against() -> None:
    found = strength(values([-4.0, -1.0, 0.0, 9.0]), 2.0, "diverging")

    np.testing.assert_allclose(found, [[-1, -0.5, 0, 1]])


@pytest.mark.parametrize("scale", [0.0, 1e-13])
def test_a_blank_picture_is_not_stretched(scale: float) -> None:
    found = strength(values([1e-14, 0.0]), scale, "inferno")

    assert found.tolist() == [[0, 0]]


@pytest.mark.parametrize(("evidence", "scale"), [(np.nan, 1.0), (np.inf, 1.0), (0.5, np.nan)])
def test_values_that_are_not_finite_are_refused(evidence: float, scale: float) -> None:
    with pytest.raises(ExplainError, match="not finite"):
        strength(values([evidence]), scale, "inferno")


def test_tables_are_the_published_ones_in_rgb() -> None:
    # First and last rows of matplotlib's tables (CC0), rounded to 8 bits; OpenCV's JET.
    for colours, low, high in (
        ("inferno", (0, 0, 4), (252, 255, 164)),
        ("viridis", (68, 1, 84), (253, 231, 37)),
        ("cividis", (0, 34, 78), (254, 232, 56)),
        ("jet", (0, 0, 128), (128, 0, 0)),
    ):
        table = colour_table(colours).astype(int)
        assert table.shape == (256, 3)
        assert np.abs(table[0] - low).max() <= 1
        assert np.abs(table[-1] - high).max() <= 1


def test_our_own_colours_meet_their_stops() -> None:
    signed = paint(values([-1.0, 0.0, 1.0]), "diverging")[0]
    positive = paint(values([0.0, 1.0]), "violet")[0]

    np.testing.assert_array_equal(signed, [AGAINST, NEITHER, FOR])
    np.testing.assert_array_equal(positive, [NEITHER, FOR])


def lab_of(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of colours (n, 3), 0 to 1."""
    return np.asarray(rgb2lab(rgb[None])[0], dtype=np.float64)


def as_seen_without_green_cones(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours (n, 3), 0 to 1, as a deuteranope sees them (Machado et al. 2009, severity 1)."""
    matrix = np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    )
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ matrix.T, 0, 1)
    seen = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.asarray(seen, dtype=np.float64)


@pytest.mark.parametrize(("deuteranope", "least"), [(False, 30), (True, 12)])
def test_evidence_has_no_expressions_colour(deuteranope: bool, least: float) -> None:
    own = np.array([FOR, AGAINST]) / 255
    others = np.array([colour_of(label) for label in (*COLOURS, None)]) / 255
    if deuteranope:
        own, others = as_seen_without_green_cones(own), as_seen_without_green_cones(others)

    lab, labs = lab_of(own), lab_of(others)
    apart = deltaE_ciede2000(lab[:, None], labs[None])  # type: ignore[no-untyped-call]

    assert apart.shape == (2, 8)
    assert apart.min() > least  # 2.3 is just noticeable; the closest two expressions' are 18 and 8
    assert deltaE_ciede2000(lab[0], lab[1]) > 60  # type: ignore[no-untyped-call]


def lightness(colours: ColourMap) -> NDArray[np.float64]:
    """CIE L* of a table's colours, by the standard's own formula."""
    rgb = colour_table(colours) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lab = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    return np.asarray(lab, dtype=np.float64)


def test_for_and_against_differ_in_grey_and_amounts_do_too() -> None:
    signed, positive = lightness("diverging"), lightness("violet")

    assert np.diff(signed).max() < 0.5  # against is light, for is dark
    assert np.diff(positive).max() < 0.5
    nothing = signed[len(signed) // 2]
    assert signed[0] - nothing > 20
    assert nothing - signed[-1] > 40
    for table in (signed, positive):
        tenths = table[:: len(table) // 10]
        assert np.diff(tenths).max() < -1.5  # a tenth more is darker to the eye


@pytest.mark.parametrize("colours", ["inferno", "viridis", "cividis"])
def test_perceptual_maps_rise_in_lightness_and_jet_does_not(colours: ColourMap) -> None:
    assert np.diff(lightness(colours)).min() > -0.3
    assert np.diff(lightness("jet")).min() < -0.5


def test_each_sign_has_one_ink_and_other_maps_change_with_the_value() -> None:
    signs = cover(values([-1.0, -0.1, 0.0, 0.3]), "diverging")

    np.testing.assert_array_equal(signs, [[AGAINST, AGAINST, FOR, FOR]])
    np.testing.assert_array_equal(cover(values([0.0, 0.3]), "violet"), [[FOR, FOR]])
    np.testing.assert_array_equal(
        cover(values([0.0, 1.0]), "inferno")[0], colour_table("inferno")[[0, -1]]
    )


def test_tables_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="read-only"):
        colour_table("jet")[0] = 0


def test_an_unknown_colour_map_is_named() -> None:
    with pytest.raises(ExplainError, match="rainbow"):
        colour_table("rainbow")
