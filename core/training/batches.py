"""Which faces a step sees: the same for any number of processes and after any interruption."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from numpy.typing import NDArray
from torch import Tensor

from core.preprocess import Preprocess
from core.training.augment import Draws, augment, mix
from core.training.config import RunConfig
from core.types import Image

SAMPLE = 512  # faces by which statistics of a start are set
UNKNOWN_LOGIT = -1e4  # e to this power is 0 in float32; infinity times a target of 0 is no number


@dataclass(frozen=True, slots=True)
class Faces:
    """Pictures and labels in memory.

    Attributes:
        images: uint8 (N, 64, 64), grey.
        labels: int64 (N,), 0 to K - 1.
        frames: float32 (N, 2, 3), how the app would frame each face, as `core.data.Frames` has it;
            None where that is not known.
        answers: float32 (N, K), a teacher's probabilities; None without a teacher.
        votes: float32 (N, K), shares of raters' votes; not a number where nobody rated the face.
            None without votes.
        known: bool (N, K), the classes that the source of each face tells apart; None for all.
    """

    images: Image
    labels: NDArray[np.int64]
    frames: NDArray[np.float32] | None = None
    answers: NDArray[np.float32] | None = None
    votes: NDArray[np.float32] | None = None
    known: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run learns from and is chosen on.

    Attributes:
        train: Training part.
        valid: Validation part, disjoint from the test part and its twins.
        facts: Name, hash, split and counts for the card.
    """

    train: Faces
    valid: Faces
    facts: dict[str, Any]


def step_seed(seed: int, epoch: int, step: int) -> int:
    """One 63-bit seed a step, so that a resumed run draws what the first would have drawn."""
    sequence = np.random.SeedSequence([seed, epoch, step])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


class BatchMaker:
    """Makes the augmented batch of any step of any epoch.

    Args:
        faces: The training part.
        config: Batch size, augmentation, smoothing, weighting and seed.
        preprocess: Size and normalisation of the network's input.
        device: Where pictures lie and batches are made.
    """

    def __init__(
        self,
        faces: Faces,
        config: RunConfig,
        preprocess: Preprocess,
        device: torch.device | str = "cpu",
    ) -> None:
        self.config = config
        self.preprocess = preprocess
        self.device = torch.device(device)
        images = faces.images
        # Sampling enlarges by itself; what is shrunk or cropped has its size first.
        sampled = preprocess.crop == preprocess.size > images.shape[1]
        if images.shape[1] != preprocess.size and not sampled:
            images = preprocess.squares(images)
        self.images = torch.from_numpy(np.ascontiguousarray(images)).to(self.device)
        self.frames = None if faces.frames is None else self._of_window(faces.frames)
        self.classes = len(config.labels)
        labels = torch.from_numpy(faces.labels)
        known = torch.ones((len(labels), self.classes), dtype=torch.bool)
        if faces.known is not None:
            known = torch.from_numpy(faces.known)
        self.targets = self._targets(faces, labels, known).to(self.device)
        self.weights = class_weights(faces.labels, self.classes, config.class_weighting)[labels]
        self.weights = self.weights.to(self.device)
        self.group: Tensor | None = None  # of faces whose sources know the same classes
        if not bool(known.all()):
            self.group = torch.unique(known, dim=0, return_inverse=True)[1].to(self.device)
        self.known = known.to(self.device)
        scale, shift = map(torch.from_numpy, preprocess.affine())
        self.scale, self.shift = (scale * 255.0).to(self.device), shift.to(self.device)

    def _targets(self, faces: Faces, labels: Tensor, known: Tensor) -> Tensor:
        """What each face is to be answered with, float32 (N, K); rows sum to 1."""
        smoothing = self.config.label_smoothing
        targets = F.one_hot(labels, self.classes).float()
        spread = known / known.sum(dim=1, keepdim=True)
        targets = targets * (1 - smoothing) + smoothing * spread
        if faces.votes is not None:
            votes = torch.from_numpy(faces.votes) * known
            total = votes.sum(dim=1, keepdim=True)
            blended = targets.lerp(votes / total, self.config.rater_share)
            targets = torch.where(total > 0, blended, targets)
        if faces.answers is not None:
            answers = torch.from_numpy(faces.answers) * known
            answers = answers / answers.sum(dim=1, keepdim=True)
            targets = targets.lerp(answers, self.config.teacher_share)
        return targets

    def inputs(self, images: Image, size: int) -> Iterator[Tensor]:
        """The network's inputs of unvaried pictures, float32 (size or fewer, C, S, S) a time."""
        for start in range(0, len(images), size):
            part = self.preprocess.squares(images[start : start + size])
            yield torch.from_numpy(self.preprocess.normalise(part))

    def sample(self) -> Tensor:
        """Some unvaried training faces as float32 (n, C, S, S), spread over all of them."""
        some = self.images[:: 1 + len(self.images) // SAMPLE].cpu().numpy()
        return next(self.inputs(some, SAMPLE))

    @property
    def steps(self) -> int:
        """Steps an epoch; a last, smaller batch is left out once there is a full one."""
        return max(1, len(self.images) // self.config.batch_size)

    def side(self, epoch: int) -> int:
        """Side of the pictures in this epoch (progressive resizing)."""
        early = epoch < round(self.config.grow_until * self.config.epochs)
        return self.config.start_side if self.config.start_side and early else self.preprocess.crop

    def order(self, epoch: int) -> Tensor:
        """Permutation of all faces, int64 (N,), the same on every device."""
        generator = torch.Generator().manual_seed(step_seed(self.config.seed, epoch, 2**31 - 1))
        return torch.randperm(len(self.images), generator=generator).to(self.device)

    def batch(self, epoch: int, step: int, order: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The whole batch of a step, over all processes.

        Returns:
            Inputs float32 (B, C, S, S) with channels last in memory, targets float32 (B, K) with
            smoothing, raters' votes, a teacher's answers and mixing, weights float32 (B,) with mean
            about 1, and bool (B, K), the classes that the loss of each face is about; targets are 0
            in all others.
        """
        size = self.config.batch_size
        chosen = order[step * size : (step + 1) * size]
        draws = self.draws(epoch, step)
        frames = None if self.frames is None else self.frames[chosen]
        settings = self.config.augment
        grey = augment(self._cropped(chosen), settings, self.side(epoch), draws, frames)
        grey = grey[..., None].expand(*grey.shape, len(self.scale))
        inputs = torch.addcmul(self.shift, grey, self.scale).permute(0, 3, 1, 2)
        targets = self.targets[chosen]
        if settings.mixup > 0:
            group = None if self.group is None else self.group[chosen]
            inputs, targets = mix(inputs, targets, settings.mixup, draws, group)
        return inputs, targets, self.weights[chosen], self.known[chosen]

    def draws(self, epoch: int, step: int) -> Draws:
        """All that is random in a step."""
        return Draws(step_seed(self.config.seed, epoch, step), self.device)

    def _of_window(self, frames: NDArray[np.float32]) -> Tensor:
        """Maps between windows of crop and picture; both are the same share of them."""
        maps = torch.from_numpy(frames.copy())
        maps[:, :, 2] *= self.preprocess.size / self.preprocess.crop
        return maps.to(self.device)

    def _cropped(self, chosen: Tensor) -> Tensor:
        margin = (self.preprocess.size - self.preprocess.crop) // 2
        window = slice(margin, margin + self.preprocess.crop)
        return self.images[chosen][:, window, window]


def masked(logits: Tensor, known: Tensor | NDArray[np.bool_] | None) -> Tensor:
    """Logits without the classes that a face's source does not tell apart.

    A source without pictures of a class says nothing about it: its faces are neither taught to be
    of that class nor not to be.

    Args:
        logits: float32 (N, K).
        known: bool (N, K); None for all.

    Returns:
        float32 (N, K); the softmax of an unknown class is 0, and so is its gradient.
    """
    return logits if known is None else logits.masked_fill(~torch.as_tensor(known), UNKNOWN_LOGIT)


def class_weights(labels: NDArray[np.int64], classes: int, exponent: float) -> Tensor:
    """Loss weights float32 (K,) proportional to frequency ** -exponent, mean 1 over the faces."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1) ** -exponent, 0.0)
    weights /= (weights * counts).sum() / counts.sum()
    return torch.from_numpy(weights.astype(np.float32))
