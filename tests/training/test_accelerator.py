"""What training on an accelerator rests on, checked without one.

Tensors of torch's fake mode have a device, a type and a shape, but no values: whatever would have
to wait for a value, or mixes devices, fails.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut
from striped_faces import stripes, weights_of
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from core.errors import TrainingError
from core.models import load_model
from core.preprocess import Preprocess
from core.training import Augmentation, RunConfig, RunFolder
from core.training.augment import Draws, _jpeg_tables, like_jpeg
from core.training.batches import BatchMaker, TrainingData
from core.training.optimise import may_fuse
from core.training.progress import READINGS, EpochSums, StepFacts, Unread
from core.training.trainer import Stopped, Trainer

NewFolder = Callable[[str, RunConfig], RunFolder]
ALL = Augmentation(
    rotation=10.0, perspective=0.1, reframe=0.5, low_resolution=0.5, noise=0.1, compression=0.5,
    erasing=0.5, mixup=0.2,
)  # fmt: skip


class FakeDraws(Draws):
    """Without a generator, of which an accelerator that is not there has none."""

    def __init__(self, device: str) -> None:
        self.device, self.host, self.own = torch.device(device), torch.Generator(), None

    def share(self) -> float:
        return 0.5

    def order(self, n: int) -> torch.Tensor:
        return torch.randperm(n, device=self.device)

    def beta(self, alpha: float) -> float:
        return alpha


@pytest.fixture
def fake() -> Iterator[None]:
    _jpeg_tables.cache_clear()
    with FakeTensorMode():
        yield
    _jpeg_tables.cache_clear()


@pytest.mark.usefixtures("fake")
def test_no_step_waits_for_the_device_that_makes_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BatchMaker, "draws", lambda maker, epoch, step: FakeDraws("cuda"))
    place = torch.device("cuda", 0)
    maker = BatchMaker.__new__(BatchMaker)
    maker.config = RunConfig(batch_size=8, augment=ALL, class_set="seven")
    maker.preprocess, maker.device, maker.classes = Preprocess(), place, 7
    maker.images = torch.zeros(40, 64, 64, dtype=torch.uint8, device=place)
    maker.frames = torch.rand(40, 2, 3, device=place)
    maker.targets = torch.rand(40, 7, device=place)
    maker.weights = torch.rand(40, device=place)
    maker.group = torch.zeros(40, dtype=torch.int64, device=place)
    maker.known = torch.ones(40, 7, dtype=torch.bool, device=place)
    maker.scale, maker.shift = torch.rand(3, device=place), torch.rand(3, device=place)

    batch = maker.batch(0, 0, torch.arange(40, device=place))

    assert [part.device for part in batch] == [place] * 4
    assert [tuple(part.shape) for part in batch] == [(8, 3, 64, 64), (8, 7), (8,), (8, 7)]
    with pytest.raises(DataDependentOutputException):  # else the mode would have shown nothing
        float(batch[2].sum())


@pytest.mark.parametrize("side", [44, 48, 64])
def test_what_compression_leaves_on_a_device_is_what_a_library_reads(side: int) -> None:
    rng = np.random.default_rng(side)
    photo = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2GRAY)  # type: ignore[no-untyped-call]
    corners = rng.integers(0, 512 - 160, (30, 2))
    parts = [photo[top : top + 160, left : left + 160] for top, left in corners]
    small = np.stack(
        [cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA) for part in parts]
    )
    qualities = rng.integers(5, 96, len(small))

    left = like_jpeg(torch.from_numpy(small)[:, None] / 255, torch.from_numpy(qualities))

    read = np.zeros_like(small)
    for index, quality in enumerate(qualities.tolist()):
        file = cv2.imencode(".jpg", small[index], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        read[index] = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))
    off = np.abs(left[:, 0].numpy() * 255 - read)
    lost = np.abs(small.astype(float) - read)
    assert off.mean() < 0.25
    assert (off > 1).mean() < 0.05
    assert lost.mean() > 3  # so that nearly all of what a file loses is lost here as well


class Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts how often a value is taken out of a tensor."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_between_two_readings_no_step_looks_at_a_value(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = Trainer(tiny, stripes_data, new_folder("run", tiny))
    trainer.unread.every = 3
    order, counted = trainer.batches.order(0), []
    made = trainer.batches.batch(0, 0, order)
    monkeypatch.setattr(trainer.batches, "batch", lambda *_: made)

    with Reads() as mode:  # type: ignore[no-untyped-call]
        for step in range(6):
            trainer.one_step(step, order)
            counted.append(trainer.sums.batches)

    assert mode.count == 0
    assert counted == [0, 0, 3, 3, 3, 6]
    with Reads() as mode:  # type: ignore[no-untyped-call]
        float(made[2].sum())
    assert mode.count == 1


@pytest.mark.parametrize("every", [2, 4, 100])
def test_what_is_read_later_is_the_same(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder, every: int
) -> None:
    folders = [new_folder(name, tiny) for name in ("at-once", "later")]
    for folder, steps in zip(folders, (1, every), strict=True):
        trainer = Trainer(tiny, stripes_data, folder)
        trainer.unread.every = steps
        trainer.fit()

    one, other = ([*folder.history()] for folder in folders)
    times = {"seconds", "faces_per_second", "input_share"}
    assert [{key: line[key] for key in line if key not in times} for line in one] == [
        {key: line[key] for key in line if key not in times} for line in other
    ]
    for name, value in weights_of(folders[0]).items():
        assert torch.equal(value, weights_of(folders[1])[name])


def test_a_stop_waits_for_a_reading_and_nothing_is_counted_twice(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder, whole = new_folder("run", tiny), new_folder("whole", tiny)
    Trainer(tiny, stripes_data, whole).fit()
    first = Trainer(tiny, stripes_data, folder, stop=lambda: first.step >= 3)
    first.unread.every = 4

    with pytest.raises(Stopped):
        first.fit()
    second = Trainer(tiny, stripes_data, folder)
    second.unread.every = 4
    second.restore()
    begun = second.step
    second.fit()

    assert begun == 4
    losses = [[line["train_loss"] for line in run.history()] for run in (folder, whole)]
    assert losses[0] == losses[1]


def test_losses_are_read_twenty_times_an_epoch_and_behind_its_last_step() -> None:
    read: list[list[list[float]]] = []

    def summed(values: torch.Tensor) -> list[list[float]]:
        read.append(values.tolist())
        return read[-1]

    unread, sums = Unread(205, torch.device("cuda"), summed), EpochSums()
    for step in range(205):
        unread.add(torch.tensor([step, 1.0, 0.5]), StepFacts(step, 0.1, 8, 0.0, 0.0))
        if unread.is_due:
            unread.read(sums, 0)

    assert [len(values) for values in read] == [10] * READINGS + [5]
    assert sums.loss == sum(range(205))
    assert (sums.correct, sums.faces, sums.batches) == (205, 8 * 205, 205)
    assert unread.is_empty
    assert Unread(205, torch.device("cpu"), summed).every == 1


@pytest.mark.parametrize(
    ("figures", "said"),
    [([np.nan, 0, 1], "loss is no number"), ([1, 0, np.inf], "gradient is not finite")],
)
def test_the_step_that_lost_the_weights_is_named(figures: list[float], said: str) -> None:
    unread = Unread(40, torch.device("cuda"), torch.Tensor.tolist)
    for step, values in enumerate(([1.0, 0.0, 1.0], figures, [2.0, 0.0, 1.0])):
        unread.add(torch.tensor(values), StepFacts(step, 0.25, 8, 0.0, 0.0))

    with pytest.raises(TrainingError, match=rf"{said} in epoch 4, step 2\. .*rate \(0\.25\)"):
        unread.read(EpochSums(), 3)


def test_weights_that_a_gradient_has_lost_are_not_saved(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = new_folder("run", tiny)
    trainer = Trainer(tiny, stripes_data, folder)
    norms = iter([1.0] * 11 + [float("inf")])  # in the last step of the second epoch
    monkeypatch.setattr(
        trainer.fabric, "clip_gradients", lambda *_, **__: torch.tensor(next(norms))
    )

    with pytest.raises(TrainingError, match="gradient is not finite in epoch 2, step 6"):
        trainer.fit()

    assert torch.load(folder.last, weights_only=True)["epoch"] == 1


def test_a_gradient_without_a_limit_is_watched_too(
    stripes_data: TrainingData, tiny: RunConfig, new_folder: NewFolder
) -> None:
    folder = new_folder("run", tiny.replaced(gradient_clip=0.0))
    trainer = Trainer(folder.config(), stripes_data, folder)
    steps = count()  # the loss stays a number where a gradient alone is lost
    weight = next(trainer.network.parameters())
    weight.register_hook(  # type: ignore[no-untyped-call]
        lambda given: given * (math.inf if next(steps) == 11 else 1.0)
    )

    with pytest.raises(TrainingError, match="gradient is not finite in epoch 2, step 6"):
        trainer.fit()

    assert torch.load(folder.last, weights_only=True)["epoch"] == 1


def test_half_precision_leaves_out_a_step_that_overflows(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = new_folder("run", tiny.replaced(epochs=1))
    trainer = Trainer(folder.config(), stripes_data, folder)
    half = tiny.replaced(epochs=1, precision="16-mixed")
    trainer.config = half  # a CPU has no scaler, so what it does is played
    monkeypatch.setattr(trainer.fabric, "clip_gradients", lambda *_, **__: torch.tensor(math.inf))

    trainer.fit()

    assert len(list(folder.history())) == 1
    assert not may_fuse(half, torch.device("cuda"))
    assert may_fuse(tiny, torch.device("cuda"))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # torch looks there itself
def test_compiled_operations_give_the_same_weights_under_the_same_names(
    stripes_data: TrainingData,
    tiny: RunConfig,
    new_folder: NewFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original, compiled = nn.Module.compile, list[str]()

    def compile_quickly(module: nn.Module) -> None:  # "eager": captured, not translated to C++
        compiled.append(type(module).__name__)
        original(module, backend="eager")

    monkeypatch.setattr(nn.Module, "compile", compile_quickly)
    plain, fused = new_folder("plain", tiny), new_folder("fused", tiny.replaced(compile=True))
    for folder in (plain, fused):
        Trainer(folder.config().replaced(epochs=1), stripes_data, folder).fit()

    assert compiled == ["GiMEFiVE"]
    assert load_model(fused.path)[1].labels == load_model(plain.path)[1].labels
    for name, value in weights_of(plain).items():
        torch.testing.assert_close(weights_of(fused)[name], value)


def test_targets_are_made_once_and_follow_their_faces() -> None:
    votes = np.full((8, 6), np.nan, np.float32)
    votes[3] = [0, 0, 1, 0, 0, 0]
    config = RunConfig(batch_size=4, label_smoothing=0.06, rater_share=0.5, class_weighting=0.5)
    faces = replace(stripes(8, 0), votes=votes)
    maker = BatchMaker(faces, config, Preprocess())

    _, targets, weights, _ = maker.batch(0, 1, torch.tensor([0, 1, 2, 4, 3, 5, 6, 7]))

    expected = np.full(6, 0.01)
    expected[faces.labels[3]] += 0.94
    expected = expected / 2 + [0, 0, 0.5, 0, 0, 0]
    np.testing.assert_allclose(targets[0], expected, atol=1e-6)
    assert float(weights[0]) == float(maker.weights[3])
