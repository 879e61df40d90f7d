"""Which faces a step sees, how they are varied, weighed and mixed."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from striped_faces import stripes

from core.preprocess import Preprocess
from core.training import FLIP_ONLY, Augmentation, RunConfig
from core.training.augment import Draws, augment, mix
from core.training.batches import BatchMaker, Faces, class_weights, masked, step_seed

STILL = Augmentation(
    flip=0.0, rotation=0.0, scale=0.0, shift=0.0, shear=0.0, brightness=0.0, contrast=0.0,
    gamma=0.0, low_resolution=0.0, noise=0.0, erasing=0.0,
)  # fmt: skip


def picture() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8))


def test_without_strength_nothing_changes() -> None:
    result = augment(picture(), STILL, 16, Draws(0))

    torch.testing.assert_close(result, picture().float() / 255, atol=1e-5, rtol=0)


def test_a_certain_flip_mirrors_left_and_right() -> None:
    result = augment(picture(), replace(STILL, flip=1.0), 16, Draws(0))

    torch.testing.assert_close(result, picture().flip(2).float() / 255, atol=1e-5, rtol=0)


def test_all_strengths_keep_the_range_and_the_side_asked_for() -> None:
    strong = Augmentation(perspective=0.1, low_resolution=1.0, erasing=1.0, noise=0.1)

    result = augment(picture(), strong, 12, Draws(0))

    assert result.shape == (3, 12, 12)
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_erasing_hides_between_2_and_20_percent() -> None:
    white = torch.full((200, 40, 40), 255, dtype=torch.uint8)

    result = augment(white, replace(STILL, erasing=1.0), 40, Draws(0))

    hidden = (result < 0.999).float().mean(dim=(1, 2))
    assert float(hidden.max()) <= 0.25
    assert float(hidden[hidden > 0].mean()) == pytest.approx(0.11, abs=0.03)


def test_a_certain_compression_leaves_what_a_jpeg_of_some_quality_holds() -> None:
    smooth = torch.from_numpy(
        np.stack([np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)] * 40)
    )

    result = augment(smooth, replace(STILL, compression=1.0), 64, Draws(0))

    levels = (result * 255).round().to(torch.uint8)
    kept = {levels[index].numpy().tobytes() for index in range(len(levels))}
    possible = {jpeg(smooth[0].numpy(), quality).tobytes() for quality in range(15, 91)}
    assert kept <= possible
    assert len(kept) > 20


def jpeg(grey: np.ndarray, quality: int) -> np.ndarray:
    done, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def test_a_reframed_picture_is_what_its_map_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.augment.MARGINS", (0.0, 0.0))
    # Half as wide, its middle half a half-side to the left: columns 0 to 7 of 16, rows 4 to 11.
    half = torch.tensor([[0.5, 0.0, -0.5], [0.0, 0.5, 0.0]])
    unknown = torch.full((2, 3), torch.nan)
    frames = torch.stack([half, unknown, half])

    result = augment(picture(), replace(STILL, reframe=1.0), 8, Draws(0), frames)

    whole = picture().float() / 255
    torch.testing.assert_close(result[[0, 2]], whole[[0, 2], 4:12, 0:8], atol=1e-5, rtol=0)
    unchanged = augment(picture(), STILL, 8, Draws(0))
    torch.testing.assert_close(result[1], unchanged[1])


def test_a_reframed_picture_is_shown_with_more_or_less_around_it() -> None:
    ramp = (torch.arange(64.0).repeat(400, 64, 1) * 4).to(torch.uint8)
    frames = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]).repeat(400, 1, 1)

    result = augment(ramp, replace(STILL, reframe=1.0), 64, Draws(0), frames)

    # The ramp's range is the width of the frame: half of it times 0.9 to 1.4.
    width = (result[:, 0, -1] - result[:, 0, 0]) * 255 / 4 / 63 * 2
    assert float(width.min()) == pytest.approx(0.9, abs=0.02)
    assert float(width.max()) == pytest.approx(1.4, abs=0.02)


def test_a_network_of_smaller_windows_is_reframed_to_the_window_of_the_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.training.augment.MARGINS", (0.0, 0.0))
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 4, (4, 48, 1))
    shifted = np.tile(np.array([[0.5, 0, 0.25], [0, 0.5, 0]], np.float32), (4, 1, 1))
    faces = Faces(ramp, np.zeros(4, np.int64), shifted)
    preprocess = Preprocess(size=48, crop=44, mean=(0.0,), std=(1.0,))
    config = RunConfig(batch_size=4, augment=replace(STILL, reframe=1.0))

    inputs, _, _, _ = BatchMaker(faces, config, preprocess).batch(0, 0, torch.arange(4))

    # The frame is 24 wide around 23.5 + 6; its window is 44 of 48 parts of that.
    places = 29.5 + (np.arange(44) - 21.5) * 0.5
    np.testing.assert_allclose(inputs[0, 0, 20] * 255 / 4, places, atol=1e-3)


def test_one_seed_gives_one_batch() -> None:
    first, second = (augment(picture(), Augmentation(), 16, Draws(5)) for _ in range(2))

    assert torch.equal(first, second)
    assert not torch.equal(first, augment(picture(), Augmentation(), 16, Draws(6)))


def test_step_seeds_differ_between_steps_epochs_and_runs() -> None:
    seeds = {step_seed(run, epoch, step) for run in (0, 1) for epoch in (0, 1) for step in (0, 1)}

    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_an_epoch_sees_every_face_once() -> None:
    faces = stripes(50, 0)
    config = RunConfig(batch_size=10, augment=STILL, ema=0.0)
    maker = BatchMaker(faces, config, Preprocess())

    order = maker.order(3)
    batches = [maker.batch(3, step, order)[0] for step in range(maker.steps)]

    seen = torch.cat(batches)[:, 0].sum(dim=(1, 2)).sort().values
    pixels = torch.from_numpy(Preprocess().normalise(faces.images))
    torch.testing.assert_close(
        seen, pixels[:, 0].sum(dim=(1, 2)).sort().values, atol=0.05, rtol=1e-4
    )
    assert not torch.equal(order, maker.order(4))


def test_targets_are_smoothed_as_defined() -> None:
    config = RunConfig(batch_size=4, label_smoothing=0.12, augment=FLIP_ONLY)
    maker = BatchMaker(stripes(8, 0), config, Preprocess())

    _, targets, _, _ = maker.batch(0, 0, torch.arange(8))

    assert float(targets.max()) == pytest.approx(0.88 + 0.02)
    assert float(targets.min()) == pytest.approx(0.02)
    torch.testing.assert_close(targets.sum(1), torch.ones(4))


def test_a_teacher_s_answers_are_their_share_of_the_target() -> None:
    config = RunConfig(
        batch_size=4, label_smoothing=0.12, teacher="one", teacher_share=0.25, augment=FLIP_ONLY
    )
    answers = np.full((8, 6), 0.1, dtype=np.float32)
    answers[:, 5] = 0.5
    maker = BatchMaker(replace(stripes(8, 0), answers=answers), config, Preprocess())

    order = torch.tensor([3, 1, 2, 0])
    _, targets, _, _ = maker.batch(0, 0, order)

    torch.testing.assert_close(targets[:, 5], torch.full((4,), 0.75 * 0.02 + 0.25 * 0.5))
    labels = torch.from_numpy(stripes(8, 0).labels)[order]
    of_label = targets.gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(of_label, torch.full((4,), 0.75 * 0.9 + 0.25 * 0.1))
    torch.testing.assert_close(targets.sum(1), torch.ones(4))


def test_votes_of_raters_are_their_share_of_the_target_where_a_face_was_rated() -> None:
    config = RunConfig(batch_size=4, label_smoothing=0.12, rater_share=0.5, augment=FLIP_ONLY)
    votes = np.full((8, 6), np.nan, dtype=np.float32)
    votes[1] = (0.7, 0, 0.3, 0, 0, 0)
    faces = stripes(8, 0)
    maker = BatchMaker(replace(faces, votes=votes), config, Preprocess())
    plain = BatchMaker(faces, config, Preprocess())

    order = torch.tensor([1, 0, 2, 3])
    _, targets, _, _ = maker.batch(0, 0, order)
    _, labels, _, _ = plain.batch(0, 0, order)

    expected = 0.5 * labels[0] + 0.5 * torch.tensor([0.7, 0, 0.3, 0, 0, 0])
    torch.testing.assert_close(targets[0], expected)
    torch.testing.assert_close(targets[1:], labels[1:])


def test_class_weights_follow_the_stated_power() -> None:
    labels = np.array([0] * 16 + [1] * 4, dtype=np.int64)

    weights = class_weights(labels, 3, 0.5)

    # 1/4 and 1/2 before scaling; the mean over faces is (16/4 + 4/2) / 20 = 0.3
    torch.testing.assert_close(weights, torch.tensor([0.25 / 0.3, 0.5 / 0.3, 0.0]))


def test_no_exponent_weighs_all_faces_alike() -> None:
    assert torch.equal(class_weights(np.array([0, 0, 1]), 2, 0.0), torch.ones(2))


def test_mixup_blends_inputs_and_targets_by_one_share() -> None:
    inputs = torch.tensor([[0.0], [1.0]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])

    mixed, blended = mix(inputs, targets, 1.0, Draws(1))

    torch.testing.assert_close(mixed[:, 0], blended[:, 1])
    torch.testing.assert_close(blended.sum(1), torch.ones(2))


def test_mixup_shares_have_the_mean_and_variance_of_a_beta_distribution() -> None:
    source = Draws(0)
    shares = np.array([source.beta(0.4) for _ in range(4000)])

    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(0.25 / (2 * 0.4 + 1), abs=0.02)


SEVEN = RunConfig(class_set="seven", batch_size=4, label_smoothing=0.12, augment=FLIP_ONLY)


def some_without_neutral() -> Faces:
    """Eight faces; the sources of the even ones know no neutral, the seventh class."""
    known = np.ones((8, 7), dtype=bool)
    known[::2, 6] = False
    labels = np.array([0, 6, 1, 2, 3, 6, 4, 5], dtype=np.int64)
    return replace(stripes(8, 0), labels=labels, known=known)


def test_a_target_spreads_over_the_classes_its_source_knows() -> None:
    maker = BatchMaker(some_without_neutral(), SEVEN, Preprocess())

    _, targets, _, known = maker.batch(0, 0, torch.arange(8))

    torch.testing.assert_close(targets.sum(1), torch.ones(4))
    torch.testing.assert_close(targets[0], torch.tensor([0.9] + [0.02] * 5 + [0.0]))
    torch.testing.assert_close(targets[1], torch.tensor([0.12 / 7] * 6 + [0.88 + 0.12 / 7]))
    assert known[:, 6].tolist() == [False, True, False, True]


def test_votes_say_nothing_of_classes_the_source_does_not_know() -> None:
    votes = np.zeros((8, 7), dtype=np.float32)
    votes[:, 6], votes[:, 0], votes[0, 0] = 0.5, 0.5, 0
    faces = replace(some_without_neutral(), votes=votes)
    config = SEVEN.replaced(rater_share=1.0)

    _, targets, _, known = BatchMaker(faces, config, Preprocess()).batch(0, 0, torch.arange(8))

    assert float(targets[~known].abs().max()) == 0
    torch.testing.assert_close(targets.sum(1), torch.ones(len(targets)))


def test_a_teacher_says_nothing_of_classes_the_source_does_not_know() -> None:
    answers = np.full((8, 7), 0.1, dtype=np.float32)
    answers[:, 6] = 0.4
    faces = replace(some_without_neutral(), answers=answers)
    config = SEVEN.replaced(teacher="one", teacher_share=1.0)

    _, targets, _, _ = BatchMaker(faces, config, Preprocess()).batch(0, 0, torch.arange(8))

    torch.testing.assert_close(targets[0], torch.tensor([1 / 6] * 6 + [0.0]))
    torch.testing.assert_close(targets[1], torch.tensor([0.1] * 6 + [0.4]))


def test_a_class_that_a_source_does_not_know_is_neither_taught_nor_untaught() -> None:
    logits = torch.tensor([[2.0, 1.0, 5.0], [2.0, 1.0, 5.0]], requires_grad=True)
    known = torch.tensor([[True, True, False], [True, True, True]])
    targets = torch.tensor([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]])

    losses = F.cross_entropy(masked(logits, known), targets, reduction="none")
    losses.sum().backward()  # type: ignore[no-untyped-call]

    # log(e^2 + e^1) = 2.3133; with the third class log(e^2 + e^1 + e^5) = 5.0659
    assert losses.tolist() == pytest.approx([2.3133 - 1.9, 5.0659 - 1.9], abs=1e-3)
    assert logits.grad is not None
    assert float(logits.grad[0, 2]) == 0.0
    assert float(logits.grad[1, 2]) > 0.9


def test_mixup_blends_only_faces_whose_sources_know_the_same_classes() -> None:
    known = torch.ones(40, 3, dtype=torch.bool)
    known[::2, 2] = False
    inputs = known[:, 2:].float()
    targets = F.one_hot(torch.arange(40) % 2 * 2, 3).float()

    group = known[:, 2].long()

    mixed, blended = mix(inputs, targets, 1.0, Draws(1), group)

    torch.testing.assert_close(mixed, inputs)  # else some would lie between 0 and 1
    assert float(blended[::2, 2].max()) == 0.0
    numbers = torch.arange(40.0)[:, None]
    moved = mix(numbers, targets, 1.0, Draws(1), group)[0]
    assert not torch.allclose(moved, numbers)


def test_small_pictures_are_enlarged_by_the_sampling_itself() -> None:
    config = RunConfig(batch_size=4, augment=STILL)
    preprocess = Preprocess(size=96, crop=96)
    faces = stripes(4, 0)
    maker = BatchMaker(faces, config, preprocess)

    inputs = maker.batch(0, 0, torch.arange(4))[0]

    assert maker.images.shape == (4, 64, 64)
    expected = torch.from_numpy(preprocess.normalise(preprocess.squares(faces.images)))
    torch.testing.assert_close(inputs, expected, atol=0.02, rtol=0)


def test_progressive_resizing_starts_small_and_ends_full() -> None:
    config = RunConfig(epochs=10, start_side=48, grow_until=0.4, batch_size=4)
    maker = BatchMaker(stripes(8, 0), config, Preprocess())

    assert [maker.side(epoch) for epoch in range(10)] == [48] * 4 + [64] * 6
    assert maker.batch(0, 0, maker.order(0))[0].shape == (4, 3, 48, 48)
