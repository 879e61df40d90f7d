"""Random variation of a batch of grey pictures, all at once, reproducible from one seed.

On an accelerator nothing here waits for the device: nothing is read back, and no shape depends on
what was drawn.
"""

import math
from functools import lru_cache

import cv2
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from core.training.config import Augmentation

ERASED_AREA = (0.02, 0.2)  # of the picture (Zhong et al., 2020)
MARGINS = (-0.05, 0.2)  # around the app's frame on each side, as a share of it
QUALITIES = (15, 90)  # of JPEG
LOWEST_SHARE = 0.35  # of the side, for the loss of sharpness
JPEG_STEPS = (  # of quality 50, for grey, row by row (ITU-T T.81, table K.1)
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip


class Draws:
    """Random numbers of one step, all from its seed, drawn where they are needed.

    Those of pictures are drawn on the pictures' device, so that no step waits for it; those that
    Python decides by, on the CPU. There, all come from one generator.

    Args:
        seed: Of the step.
        device: Where the pictures are.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.host = torch.Generator().manual_seed(seed)
        self.own: torch.Generator | None = self.host
        if self.device.type != "cpu":
            self.own = torch.Generator(self.device).manual_seed(seed)

    def rand(self, *shape: int) -> Tensor:
        """Float32 of this shape, uniform from 0 to 1."""
        return torch.rand(shape, generator=self.own, device=self.device)

    def uniform(self, n: int, reach: float) -> Tensor:
        """Float32 (n,), uniform from -reach to reach."""
        return (self.rand(n) * 2 - 1) * reach

    def randn(self, shape: torch.Size) -> Tensor:
        """Float32 of this shape, of the standard normal distribution."""
        return torch.randn(shape, generator=self.own, device=self.device)

    def integers(self, low: int, high: int, n: int) -> Tensor:
        """Int64 (n,), from `low` to `high`."""
        return torch.randint(low, high + 1, (n,), generator=self.own, device=self.device)

    def order(self, n: int) -> Tensor:
        """A permutation, int64 (n,)."""
        return torch.randperm(n, generator=self.host).to(self.device, non_blocking=True)

    def share(self) -> float:
        """From 0 to 1."""
        return float(torch.rand((), generator=self.host))

    def beta(self, alpha: float) -> float:
        """From the symmetric beta distribution: a ratio of gammas."""
        concentration = torch.full((2,), float(alpha))
        # The only sampler of torch that takes a generator for a gamma distribution.
        first, second = torch._standard_gamma(concentration, generator=self.host).tolist()
        total = first + second
        return first / total if total > 0 else 0.5


def augment(
    pixels: Tensor,
    settings: Augmentation,
    side: int,
    draws: Draws,
    frames: Tensor | None = None,
) -> Tensor:
    """Vary a batch.

    Args:
        pixels: uint8 (N, S, S), grey, on the device of `draws`, as all that follows.
        settings: Strengths.
        side: Side of the result in pixels.
        draws: Source of all randomness.
        frames: float32 (N, 2, 3), the maps of `core.data.Frames` on these pixels; a picture whose
            map is NaN is never reframed. None for no reframing at all.

    Returns:
        float32 (N, side, side), 0 to 1.
    """
    grey = pixels[:, None].float() / 255.0  # (N, 1, S, S)
    maps = _maps(len(grey), settings, draws)
    if frames is not None and settings.reframe > 0:
        maps = _reframing(frames, settings.reframe, draws) @ maps
    grey = F.grid_sample(
        grey,
        _places(maps, side, projective=settings.perspective > 0),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    grey = _soften(grey, settings.low_resolution, draws)
    grey = _relight(grey, settings, draws)
    if settings.compression > 0:
        grey = _compress(grey, settings.compression, draws)
    if settings.erasing > 0:
        grey = _erase(grey, settings.erasing, draws)
    return grey[:, 0]


def _maps(n: int, settings: Augmentation, draws: Draws) -> Tensor:
    """Random projective maps float32 (n, 3, 3), from places in the result to places in the picture.

    Both count from -1 to 1, so that a side is 2 long.
    """
    angle = draws.uniform(n, math.radians(settings.rotation))
    zoom = torch.exp(draws.uniform(n, math.log1p(settings.scale)))
    stretch = torch.exp(draws.uniform(n, math.log1p(settings.scale) / 3))
    flip = torch.where(draws.rand(n) < settings.flip, -1.0, 1.0)
    shear = draws.uniform(n, settings.shear)
    shift = [draws.uniform(n, 2 * settings.shift) for _ in range(2)]
    keystone = [draws.uniform(n, settings.perspective) for _ in range(2)]
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = (
        (flip * cosine * stretch, flip * (shear - sine), shift[0]),
        (sine, cosine / stretch, shift[1]),
        (*keystone, torch.ones_like(angle)),
    )
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)


def _reframing(frames: Tensor, chance: float, draws: Draws) -> Tensor:
    """Maps float32 (n, 3, 3) from the app's crop, more or less wide, to the picture.

    Those of pictures that are not chosen, or whose frame is not known, change nothing.
    """
    n = len(frames)
    chosen = draws.rand(n) < chance
    low, high = MARGINS
    wider = 1 + 2 * (low + (high - low) * draws.rand(n)).view(n, 1, 1)
    same = torch.eye(3, device=frames.device).expand(n, 3, 3)
    upper = torch.cat([frames[:, :, :2] * wider, frames[:, :, 2:]], dim=2)
    chosen &= frames.isfinite().all(dim=2).all(dim=1)
    return torch.where(chosen.view(n, 1, 1), torch.cat([upper, same[:, 2:]], dim=1), same)


def _places(maps: Tensor, side: int, *, projective: bool) -> Tensor:
    """Where every pixel of the result lies in the picture, float32 (n, side, side, 2), -1 to 1."""
    axis = (torch.arange(side, device=maps.device) * 2 + 1) / side - 1
    cells = maps[:, :, :, None, None]
    x, y = axis, axis[:, None]
    across, down = (
        cells[:, row, 0] * x + (cells[:, row, 1] * y + cells[:, row, 2]) for row in (0, 1)
    )
    places = torch.stack([across, down], dim=-1)
    if projective:
        places /= (cells[:, 2, 0] * x + (cells[:, 2, 1] * y + cells[:, 2, 2]))[..., None]
    return places


def _soften(grey: Tensor, chance: float, draws: Draws) -> Tensor:
    """Shrink and enlarge a random part of the batch, as small or blurred faces would look."""
    chosen = draws.rand(len(grey)) < chance
    share = LOWEST_SHARE + (1 - LOWEST_SHARE) * draws.share()
    if chance == 0:
        return grey
    side = grey.shape[-1]

    def soft(sharp: Tensor) -> Tensor:
        small = F.interpolate(sharp, size=max(8, round(side * share)), mode="area")
        return F.interpolate(small, size=side, mode="bilinear", align_corners=False)

    if draws.device.type != "cpu":
        return torch.where(chosen.view(-1, 1, 1, 1), soft(grey), grey)
    rows = chosen.nonzero()[:, 0]  # on an accelerator their number would have to be waited for
    return grey.index_copy(0, rows, soft(grey[rows])) if len(rows) else grey


def _relight(grey: Tensor, settings: Augmentation, draws: Draws) -> Tensor:
    """Change gamma, contrast and brightness, add noise, and clip to 0 to 1."""
    n = len(grey)
    shape = (n, 1, 1, 1)
    gamma = torch.exp(draws.uniform(n, math.log1p(settings.gamma))).view(shape)
    contrast = torch.exp(draws.uniform(n, math.log1p(settings.contrast))).view(shape)
    brightness = draws.uniform(n, settings.brightness).view(shape)
    strength = (draws.rand(n) * settings.noise).view(shape)
    grey = grey.clamp(0, 1).log_().mul_(gamma).exp_()  # a power takes twice as long
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    grey = (grey - mean) * contrast + mean + brightness
    if settings.noise > 0:
        grey = grey + draws.randn(grey.shape) * strength
    return grey.clamp(0, 1)


def _compress(grey: Tensor, chance: float, draws: Draws) -> Tensor:
    """Store a random part of the batch as JPEG files, each of its own quality, and read them."""
    chosen = draws.rand(len(grey)) < chance
    qualities = draws.integers(*QUALITIES, len(grey))
    if draws.device.type != "cpu":
        return torch.where(chosen.view(-1, 1, 1, 1), like_jpeg(grey, qualities), grey)
    levels = (grey[:, 0] * 255).round().to(torch.uint8).numpy()
    grey = grey.clone()
    for index in chosen.nonzero()[:, 0].tolist():
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(qualities[index])]
        stored = cv2.imencode(".jpg", levels[index], quality)[1]
        read = torch.from_numpy(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE))
        grey[index, 0] = read.float() / 255.0
    return grey


def like_jpeg(grey: Tensor, qualities: Tensor) -> Tensor:
    """What JPEG (ITU-T T.81) leaves of grey pictures, without a file and on any device.

    Args:
        grey: float32 (N, 1, S, S), 0 to 1.
        qualities: int64 (N,), 1 to 100, as the Independent JPEG Group scales its tables.

    Returns:
        float32 (N, 1, S, S), 0 to 1, within a few grey levels of what a library reads.
    """
    n, side = len(grey), grey.shape[-1]
    cells = -(-side // 8)
    whole = F.pad(grey, (0, 8 * cells - side, 0, 8 * cells - side), mode="replicate")
    levels = (whole * 255).round() - 128
    blocks = levels.view(n, cells, 8, cells, 8).transpose(2, 3)  # (n, cells, cells, 8, 8)
    cosine, table = _jpeg_tables(grey.device)
    scale = torch.where(qualities < 50, 5000 // qualities.clamp(max=50), 200 - 2 * qualities).view(
        n, 1, 1, 1, 1
    )
    steps = ((table * scale + 50) // 100).clamp(1, 255)
    kept = ((cosine @ blocks @ cosine.T) / steps).round() * steps
    read = (cosine.T @ kept @ cosine).transpose(2, 3).reshape(whole.shape)
    return ((read + 128).round().clamp(0, 255) / 255)[:, :, :side, :side]


@lru_cache
def _jpeg_tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """The cosine transform of 8 samples float32 (8, 8), and the steps of quality 50, int64."""
    number = torch.arange(8.0)
    cosine = torch.cos(math.pi * number[:, None] * (2 * number + 1) / 16) / 2
    cosine[0] /= math.sqrt(2)
    return cosine.to(device), torch.tensor(JPEG_STEPS).view(8, 8).to(device)


def _erase(grey: Tensor, chance: float, draws: Draws) -> Tensor:
    """Replace one rectangle of some pictures by a uniform grey (random erasing)."""
    n, side = len(grey), grey.shape[-1]
    chosen = draws.rand(n) < chance
    low, high = ERASED_AREA
    area = low + (high - low) * draws.rand(n)
    ratio = torch.exp(draws.uniform(n, math.log(3.0)))
    height = (torch.sqrt(area * ratio) * side).clamp(1, side)
    width = (torch.sqrt(area / ratio) * side).clamp(1, side)
    top = draws.rand(n) * (side - height)
    left = draws.rand(n) * (side - width)
    fill = draws.rand(n).view(n, 1, 1, 1)
    axis = torch.arange(side, device=grey.device).float()
    rows = (axis >= top[:, None]) & (axis < (top + height)[:, None])  # (n, side)
    columns = (axis >= left[:, None]) & (axis < (left + width)[:, None])
    hidden = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
    return torch.where(hidden[:, None], fill, grey)


def mix(
    inputs: Tensor,
    targets: Tensor,
    alpha: float,
    draws: Draws,
    group: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al., 2018): blend every picture and target with another of the batch.

    Args:
        inputs: float32 (N, ...).
        targets: float32 (N, K), rows sum to 1.
        alpha: Parameter of the symmetric beta distribution.
        draws: Source of all randomness.
        group: int64 (N,), only pictures of one group are blended; None for all.

    Returns:
        Blended inputs and targets of the same shapes.
    """
    order = draws.order(len(inputs))
    if group is not None:
        # Both sorted by group: the i-th of a group is blended with the i-th of its random order.
        places = torch.argsort(group, stable=True)
        shuffled = order[torch.argsort(group[order], stable=True)]
        order = torch.empty_like(order).scatter_(0, places, shuffled)
    share = draws.beta(alpha)
    return (
        share * inputs + (1 - share) * inputs[order],
        share * targets + (1 - share) * targets[order],
    )
