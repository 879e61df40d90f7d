"""The one way to the network's input, against numbers worked out by hand."""

from typing import cast

import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError, ImageError
from core.faces.detection import checked
from core.preprocess import Preprocess
from core.types import Image


def test_white_and_black_are_normalised_with_the_imagenet_statistics() -> None:
    pixels = np.stack([np.zeros((64, 64), np.uint8), np.full((64, 64), 255, np.uint8)])

    black, white = Preprocess().normalise(pixels)

    assert black.shape == (3, 64, 64)
    np.testing.assert_allclose(
        black[:, 5, 5], [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225], 1e-5
    )
    np.testing.assert_allclose(white[:, 5, 5], [0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225], 1e-5)


def test_colour_becomes_grey_by_the_weights_of_rec_601() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0] = 200  # red: 0.299 * 200 = 59.8

    assert set(np.unique(Preprocess().pixels(image))) == {60}


def test_a_wide_picture_is_cropped_in_the_middle() -> None:
    image = np.zeros((64, 128, 3), np.uint8)
    image[:, 32:96] = 255

    assert Preprocess().pixels(image).min() == 255


def test_shrinking_averages_areas() -> None:
    image = np.zeros((128, 128), np.uint8)
    image[::2] = 100  # every second row: the mean of each 2 x 2 area is 50

    assert set(np.unique(Preprocess().pixels(image))) == {50}


def test_a_picture_of_the_right_size_is_not_changed() -> None:
    image = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8)

    np.testing.assert_array_equal(Preprocess().pixels(image), image)


def test_the_small_networks_crop_is_the_middle_of_the_square() -> None:
    preprocess = Preprocess(size=48, crop=44, mean=(0.5,), std=(0.5,))
    pixels = np.zeros((1, 48, 48), np.uint8)
    pixels[0, 2, 2] = 255

    batch = preprocess.normalise(pixels)

    assert batch.shape == (1, 1, 44, 44)
    assert batch[0, 0, 0, 0] == pytest.approx(1.0)
    assert batch[0, 0, 1, 1] == pytest.approx(-1.0)


def test_a_single_pixel_fills_the_square() -> None:
    assert set(np.unique(Preprocess().pixels(np.full((1, 1, 3), 77, np.uint8)))) == {77}


@pytest.mark.parametrize(
    "image", [np.zeros((8, 8, 3), np.float32), np.zeros((8,), np.uint8), np.zeros((0, 8), np.uint8)]
)
def test_other_arrays_are_refused_with_their_shape(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="expected uint8"):
        Preprocess().pixels(image)


def test_json_brings_the_same_preprocessing_back() -> None:
    preprocess = Preprocess(size=48, crop=44, mean=(0.5,), std=(0.5,))

    assert Preprocess.from_json(preprocess.to_json()) == preprocess


@pytest.mark.parametrize("values", [{}, {"size": 8, "crop": 9, "mean": [0], "std": [1]}])
def test_a_damaged_record_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Preprocess.from_json(values)


@pytest.mark.parametrize(
    "array",
    [
        np.ones((64, 64, 3), np.float32),
        np.ones((64, 64, 3), np.uint16),
        np.ones((64, 64, 4), np.uint8),
        np.ones((64, 64, 1), np.uint8),
        np.ones((3, 64, 64), np.uint8),
        np.ones((2, 64, 64, 3), np.uint8),
        np.ones((64, 64), bool),
    ],
)
def test_arrays_of_other_kinds_are_refused_with_what_was_expected(
    array: NDArray[np.generic],
) -> None:
    with pytest.raises(ImageError, match=r"Found an array of .*expected uint8 RGB \(H, W, 3\)"):
        Preprocess().pixels(array)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["face.png", PIL.Image.new("RGB", (8, 8)), [[1, 2]], None])
def test_what_is_no_array_is_refused_by_its_kind(value: object) -> None:
    kind = type(value).__name__

    for use in (Preprocess().pixels, checked):
        with pytest.raises(ImageError, match=rf"Found an? {kind}; expected uint8 RGB .*read_image"):
            use(cast("Image", value))


def test_a_network_in_colour_gets_each_channel_with_its_own_mean_and_deviation() -> None:
    colour = Preprocess(8, 8, (0.0, 0.2, 0.4), (1.0, 0.5, 0.2), colour=True)
    image = np.zeros((8, 8, 3), np.uint8)
    image[...] = (255, 102, 0)

    batch = colour(image)

    assert batch.shape == (1, 3, 8, 8)
    np.testing.assert_allclose(batch[0, :, 3, 3], [1.0, 0.4, -2.0], rtol=1e-5)


def test_a_grey_picture_stands_for_all_three_channels() -> None:
    colour = Preprocess(8, 8, (0.0,) * 3, (1.0,) * 3, colour=True)
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)

    assert colour.pixels(grey).shape == (8, 8, 3)
    np.testing.assert_array_equal(colour(grey), colour.normalise(grey[None]))


def test_colour_is_kept_in_the_record_only_where_it_holds() -> None:
    colour = Preprocess(colour=True)

    assert Preprocess.from_json(colour.to_json()) == colour
    assert "colour" not in Preprocess().to_json()  # prepared data are named after it


def test_colour_needs_three_channels() -> None:
    with pytest.raises(ConfigError, match="in colour has 1 means"):
        Preprocess(48, 48, (0.5,), (0.5,), colour=True)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("side", [64, 48])
@pytest.mark.parametrize("stored", ["grey", "rgb"])
def test_stored_squares_come_as_the_network_takes_them(
    stored: str, side: int, colour: bool
) -> None:
    shape = (2, 64, 64) if stored == "grey" else (2, 64, 64, 3)
    images = np.random.default_rng(5).integers(0, 256, shape, np.uint8)
    preprocess = Preprocess(side, side, colour=colour)

    squares = preprocess.squares(images)

    assert squares.shape == ((2, side, side, 3) if colour else (2, side, side))
    for square, image in zip(squares, images, strict=True):
        np.testing.assert_array_equal(square, preprocess.pixels(image))


def test_squares_that_fit_are_not_copied() -> None:
    images = np.zeros((2, 64, 64), np.uint8)

    assert Preprocess().squares(images) is images
