"""Random variation of a batch of grey pictures, all at once, reproducible from one generator."""

import math

import cv2
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from core.training.config import Augmentation

ERASED_AREA = (0.02, 0.2)  # of the picture (Zhong et al., 2020)
MARGINS = (-0.05, 0.2)  # around the app's frame on each side, as a share of it
QUALITIES = (15, 90)  # of JPEG
LOWEST_SHARE = 0.35  # of the side, for the loss of sharpness


def augment(
    pixels: Tensor,
    settings: Augmentation,
    side: int,
    generator: torch.Generator,
    frames: Tensor | None = None,
) -> Tensor:
    """Vary a batch.

    Args:
        pixels: uint8 (N, S, S), grey.
        settings: Strengths.
        side: Side of the result in pixels.
        generator: Source of all randomness, on the CPU.
        frames: float32 (N, 2, 3), the maps of `core.data.Frames` on these pixels; a picture whose
            map is NaN is never reframed. None for no reframing at all.

    Returns:
        float32 (N, side, side), 0 to 1.
    """
    grey = pixels[:, None].float() / 255.0  # (N, 1, S, S)
    grid = _grid(len(grey), settings, side, generator)
    if frames is not None and settings.reframe > 0:
        grid = _reframed(grid, frames, settings.reframe, generator)
    grey = F.grid_sample(
        grey,
        grid,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    grey = _soften(grey, settings.low_resolution, generator)
    grey = _relight(grey, settings, generator)
    if settings.compression > 0:
        grey = _compress(grey, settings.compression, generator)
    if settings.erasing > 0:
        grey = _erase(grey, settings.erasing, generator)
    return grey[:, 0]


def _uniform(n: int, reach: float, generator: torch.Generator) -> Tensor:
    """Float32 (n,), uniform from -reach to reach."""
    return (torch.rand(n, generator=generator) * 2 - 1) * reach


def _grid(n: int, settings: Augmentation, side: int, generator: torch.Generator) -> Tensor:
    """Sampling positions float32 (n, side, side, 2), -1 to 1, of a random projective map."""
    angle = _uniform(n, math.radians(settings.rotation), generator)
    zoom = torch.exp(_uniform(n, math.log1p(settings.scale), generator))
    stretch = torch.exp(_uniform(n, math.log1p(settings.scale) / 3, generator))
    flip = torch.where(torch.rand(n, generator=generator) < settings.flip, -1.0, 1.0)
    shear = _uniform(n, settings.shear, generator)
    # On the -1 to 1 scale a side is 2 long.
    shift = torch.stack([_uniform(n, 2 * settings.shift, generator) for _ in range(2)], dim=1)
    keystone = torch.stack([_uniform(n, settings.perspective, generator) for _ in range(2)], dim=1)
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    linear = torch.stack(
        [
            torch.stack([flip * cosine * stretch, flip * (shear - sine)], dim=1),
            torch.stack([sine, cosine / stretch], dim=1),
        ],
        dim=1,
    )  # (n, 2, 2)
    axis = (torch.arange(side) * 2 + 1) / side - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, y], dim=-1).reshape(1, -1, 2)  # (1, side * side, 2)
    moved = points @ linear.transpose(1, 2) + shift[:, None]
    depth = 1 + points @ keystone[:, :, None]  # (n, side * side, 1)
    return (moved / depth).reshape(n, side, side, 2)


def _reframed(grid: Tensor, frames: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Take random positions (n, side, side, 2) as places in the app's crop, more or less wide."""
    n = len(grid)
    chosen = torch.rand(n, generator=generator) < chance
    low, high = MARGINS
    margin = low + (high - low) * torch.rand(n, generator=generator)
    points = grid.reshape(n, -1, 2) * (1 + 2 * margin).view(n, 1, 1)
    moved = points @ frames[:, :, :2].transpose(1, 2) + frames[:, None, :, 2]
    chosen &= frames.isfinite().all(dim=(1, 2))
    return torch.where(chosen.view(n, 1, 1, 1), moved.reshape(grid.shape), grid)


def _soften(grey: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Shrink and enlarge a random part of the batch, as small or blurred faces would look."""
    chosen = torch.rand(len(grey), generator=generator) < chance
    share = LOWEST_SHARE + (1 - LOWEST_SHARE) * float(torch.rand((), generator=generator))
    if not bool(chosen.any()):
        return grey
    side = grey.shape[-1]
    small = F.interpolate(grey[chosen], size=max(8, round(side * share)), mode="area")
    blurred = F.interpolate(small, size=side, mode="bilinear", align_corners=False)
    grey = grey.clone()
    grey[chosen] = blurred
    return grey


def _relight(grey: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Change gamma, contrast and brightness, add noise, and clip to 0 to 1."""
    n = len(grey)
    shape = (n, 1, 1, 1)
    gamma = torch.exp(_uniform(n, math.log1p(settings.gamma), generator)).view(shape)
    contrast = torch.exp(_uniform(n, math.log1p(settings.contrast), generator)).view(shape)
    brightness = _uniform(n, settings.brightness, generator).view(shape)
    strength = (torch.rand(n, generator=generator) * settings.noise).view(shape)
    grey = grey.clamp(0, 1) ** gamma
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    grey = (grey - mean) * contrast + mean + brightness
    if settings.noise > 0:
        grey = grey + torch.randn(grey.shape, generator=generator) * strength
    return grey.clamp(0, 1)


def _compress(grey: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Store a random part of the batch as JPEG files, each of its own quality, and read them."""
    chosen = torch.rand(len(grey), generator=generator) < chance
    qualities = torch.randint(QUALITIES[0], QUALITIES[1] + 1, (len(grey),), generator=generator)
    levels = (grey[:, 0] * 255).round().to(torch.uint8).numpy()
    grey = grey.clone()
    for index in chosen.nonzero()[:, 0].tolist():
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(qualities[index])]
        stored = cv2.imencode(".jpg", levels[index], quality)[1]
        read = torch.from_numpy(cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE))
        grey[index, 0] = read.float() / 255.0
    return grey


def _erase(grey: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    """Replace one rectangle of some pictures by a uniform grey (random erasing)."""
    n, side = len(grey), grey.shape[-1]
    chosen = torch.rand(n, generator=generator) < chance
    low, high = ERASED_AREA
    area = low + (high - low) * torch.rand(n, generator=generator)
    ratio = torch.exp(_uniform(n, math.log(3.0), generator))
    height = (torch.sqrt(area * ratio) * side).clamp(1, side)
    width = (torch.sqrt(area / ratio) * side).clamp(1, side)
    top = torch.rand(n, generator=generator) * (side - height)
    left = torch.rand(n, generator=generator) * (side - width)
    fill = torch.rand(n, generator=generator).view(n, 1, 1, 1)
    axis = torch.arange(side).float()
    rows = (axis >= top[:, None]) & (axis < (top + height)[:, None])  # (n, side)
    columns = (axis >= left[:, None]) & (axis < (left + width)[:, None])
    hidden = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
    return torch.where(hidden[:, None], fill, grey)


def mix(
    inputs: Tensor,
    targets: Tensor,
    alpha: float,
    generator: torch.Generator,
    known: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Mixup (Zhang et al., 2018): blend every picture and target with another of the batch.

    Args:
        inputs: float32 (N, ...).
        targets: float32 (N, K), rows sum to 1.
        alpha: Parameter of the symmetric beta distribution.
        generator: Source of all randomness, on the CPU.
        known: bool (N, K), the classes each target is about; only pictures with the same ones are
            blended. None for all classes.

    Returns:
        Blended inputs and targets of the same shapes.
    """
    order = torch.randperm(len(inputs), generator=generator)
    if known is not None and not bool(known.all()):
        group = torch.unique(known, dim=0, return_inverse=True)[1]
        # Both sorted by group: the i-th of a group is blended with the i-th of its random order.
        places = torch.argsort(group, stable=True)
        shuffled = order[torch.argsort(group[order], stable=True)]
        order = torch.empty_like(order).scatter_(0, places, shuffled)
    # A beta draw as a ratio of gammas; torch.distributions takes no generator.
    share = _beta(alpha, generator)
    return (
        share * inputs + (1 - share) * inputs[order],
        share * targets + (1 - share) * targets[order],
    )


def _beta(alpha: float, generator: torch.Generator) -> float:
    concentration = torch.full((2,), float(alpha))
    # _standard_gamma is the only sampler of torch that takes a generator for a gamma distribution.
    first, second = torch._standard_gamma(concentration, generator=generator).tolist()
    total = first + second
    return first / total if total > 0 else 0.5
