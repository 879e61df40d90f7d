"""The one way from a picture of a face to the network's input, shared by training and app."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError, ImageError
from core.types import Image, kind_of

# ImageNet statistics, as the paper uses them; grey pictures keep one affine map a channel.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
COLOUR_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Preprocess:
    """Centre-crop to a square, grey, resize, centre-crop, normalise (paper, section 3.1).

    A network of another origin may take colour instead of grey.

    Attributes:
        size: Side in pixels after resizing.
        crop: Side of the centre crop fed to the network; equal to `size` for no crop.
        mean: One value a channel, on the 0 to 1 scale; its length is the channel count.
        std: One value a channel, on the 0 to 1 scale.
        colour: Whether the three channels are red, green and blue; else each is the grey picture.
    """

    size: int = 64
    crop: int = 64
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    colour: bool = False

    def __post_init__(self) -> None:
        if not 8 <= self.crop <= self.size <= 1024:
            raise ConfigError(
                f"Preprocessing has size {self.size} and crop {self.crop}; "
                "expected 8 <= crop <= size <= 1024."
            )
        if len(self.mean) != len(self.std) or min(self.std, default=0.0) <= 0:
            raise ConfigError("Preprocessing needs one mean and one positive std a channel.")
        if self.colour and self.channels != COLOUR_CHANNELS:
            raise ConfigError(
                f"Preprocessing in colour has {self.channels} means; expected one each for red, "
                "green and blue."
            )

    @property
    def channels(self) -> int:
        return len(self.mean)

    def pixels(self, image: Image) -> Image:
        """Grey square of the picture, or the coloured one where the network takes colour.

        Args:
            image: RGB uint8 (H, W, 3) or grey uint8 (H, W).

        Returns:
            uint8 (size, size); in colour RGB (size, size, 3).

        Raises:
            ImageError: The array is no such picture.
        """
        shape = image.shape if isinstance(image, np.ndarray) else ()
        fits = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
        if not fits or image.dtype != np.uint8 or min(shape[:2]) < 1:
            raise ImageError(
                f"Found {kind_of(image)}; expected uint8 RGB (H, W, 3) or grey (H, W), as "
                "core.images.read_image gives it."
            )
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = image[top : top + side, left : left + side]
        if square.ndim == 3 and not self.colour:
            square = np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        elif square.ndim == 2 and self.colour:
            square = np.asarray(cv2.cvtColor(square, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
        if side != self.size:
            how = cv2.INTER_AREA if side > self.size else cv2.INTER_LINEAR
            sized = cv2.resize(square, (self.size, self.size), interpolation=how)
            square = np.asarray(sized, dtype=np.uint8)
        return np.ascontiguousarray(square)

    def squares(self, images: Image) -> Image:
        """Stored squares brought to the size and the colours that the network takes.

        Args:
            images: uint8 (N, S, S) grey or RGB (N, S, S, 3).

        Returns:
            uint8 (N, size, size), in colour (N, size, size, 3); `images` itself where it is so.
        """
        if images.shape[1] == self.size and (images.ndim == 4) == self.colour:
            return images
        return np.stack([self.pixels(image) for image in images])

    def normalise(self, pixels: Image) -> NDArray[np.float32]:
        """Network input from squares.

        Args:
            pixels: uint8 (N, size, size) grey, or RGB (N, size, size, 3) where `colour`; grey ones
                then stand for all three channels.

        Returns:
            float32 (N, channels, crop, crop).
        """
        margin = (self.size - self.crop) // 2
        window = pixels[:, margin : margin + self.crop, margin : margin + self.crop]
        scale, shift = self.affine()
        planes = window[:, None] if window.ndim == 3 else window.transpose(0, 3, 1, 2)
        values = planes.astype(np.float32, order="C")
        return values * scale[None, :, None, None] + shift[None, :, None, None]

    def affine(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scale and shift a channel, float32 (C,): input = pixel * scale + shift."""
        std = np.asarray(self.std, dtype=np.float64)
        scale = 1.0 / (255.0 * std)
        shift = -np.asarray(self.mean, dtype=np.float64) / std
        return scale.astype(np.float32), shift.astype(np.float32)

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """Network input of one picture, float32 (1, channels, crop, crop)."""
        return self.normalise(self.pixels(image)[None])

    def to_json(self) -> dict[str, Any]:
        """Plain values for a card; `colour` is named only where it holds."""
        values = asdict(self)
        if not self.colour:
            del values["colour"]
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Preprocess":
        """Read what `to_json` wrote.

        Raises:
            ConfigError: A key is missing or unknown, or a value is out of range.
        """
        try:
            return cls(
                size=int(values["size"]),
                crop=int(values["crop"]),
                mean=tuple(float(value) for value in values["mean"]),
                std=tuple(float(value) for value in values["std"]),
                colour=bool(values.get("colour", False)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"The card's preprocessing cannot be read: {error!r}.") from error
