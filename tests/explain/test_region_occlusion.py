"""Hiding regions of a network whose answer is a known function of them."""

from itertools import permutations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain.region_occlusion import occlude_regions, region_shapley
from core.preprocess import Preprocess

SIDE = 16
CORNERS = {"a": (0, 0), "b": (0, 12), "c": (12, 0)}


def masks() -> dict[str, NDArray[np.bool_]]:
    """Three 4x4 corners and the rest."""
    found = {}
    for name, (top, left) in CORNERS.items():
        mask = np.zeros((SIDE, SIDE), dtype=bool)
        mask[top : top + 4, left : left + 4] = True
        found[name] = mask
    found["background"] = ~np.any(list(found.values()), axis=0)
    return found


def face() -> Tensor:
    """Ones in the corners, zeros elsewhere: hidden corners become nearly zero."""
    batch = torch.zeros(1, 1, SIDE, SIDE)
    for top, left in CORNERS.values():
        batch[..., top : top + 4, left : left + 4] = 1.0
    return batch


class Corners(nn.Module):
    """y_0 = 2 a + b + 3 a c over the brightness of the corners, y_1 = 1.5."""

    def forward(self, batch: Tensor) -> Tensor:
        a, b, c = (
            (batch[:, 0, top : top + 4, left : left + 4].mean(dim=(1, 2)) > 0.5).float()
            for top, left in CORNERS.values()
        )
        return torch.stack([2 * a + b + 3 * a * c, torch.full_like(a, 1.5)], dim=1)


def test_each_region_is_hidden_by_itself() -> None:
    found = occlude_regions(Corners().eval(), face(), masks())

    assert found.regions == ("a", "b", "c", "background")
    assert found.whole.tolist() == [6.0, 1.5]
    # Without a: b alone. Without b: 2a + 3ac. Without c: 2a + b. The background decides nothing.
    assert found.logits[:, 0].tolist() == [1.0, 5.0, 3.0, 6.0]
    whole = 1 / (1 + np.exp(1.5 - 6))
    np.testing.assert_allclose(found.drop(0)[0], whole - 1 / (1 + np.exp(1.5 - 1)))
    np.testing.assert_allclose(found.probabilities().sum(axis=1), 1)


def test_probabilities_are_told_at_the_temperature_of_the_card() -> None:
    found = occlude_regions(Corners().eval(), face(), masks(), temperature=0.5)

    # Logits 6 and 1.5 are divided by a half: 12 and 3.
    whole = 1 / (1 + np.exp(3 - 12))
    np.testing.assert_allclose(found.answer(), [whole, 1 - whole])
    np.testing.assert_allclose(found.probabilities()[0], [1 / (1 + np.e), np.e / (1 + np.e)])
    np.testing.assert_allclose(found.drop(0)[0], whole - 1 / (1 + np.e))


def test_pictures_differ_from_the_face_in_their_region_only() -> None:
    found = occlude_regions(Corners().eval(), face(), masks())

    for picture, mask in zip(found.pictures, masks().values(), strict=True):
        changed = (picture != face().numpy()[0]).any(axis=0)
        assert not (changed & ~mask).any()
        assert changed.any()


def test_pictures_can_be_shown_as_grey_images() -> None:
    preprocess = Preprocess(size=SIDE, crop=SIDE, mean=(0.5,), std=(0.25,))
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)

    found = occlude_regions(
        Corners().eval(), torch.from_numpy(preprocess.normalise(pixels[None])), masks()
    ).images(preprocess)

    outside = ~masks()["a"]
    assert found.dtype == np.uint8
    assert (found[0][outside] == pixels[outside]).all()


def test_shapley_values_are_the_mean_over_all_orders() -> None:
    game = region_shapley(Corners().eval(), face(), masks())

    def value(visible: set[str]) -> float:
        a, b, c = (float(name in visible) for name in "abc")
        return 2 * a + b + 3 * a * c

    expected = dict.fromkeys("abc", 0.0)
    for order in permutations("abc"):
        for place, name in enumerate(order):
            before = set(order[:place])
            expected[name] += (value(before | {name}) - value(before)) / 6
    assert game.regions == ("a", "b", "c")
    np.testing.assert_allclose(game.shapley[:, 0], [expected[name] for name in "abc"])
    np.testing.assert_allclose(game.shapley[:, 1], 0, atol=1e-12)


def test_shapley_values_sum_to_all_minus_nothing() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.Flatten(), nn.Linear(576, 3)).eval()

    game = region_shapley(model, torch.randn(1, 1, SIDE, SIDE), masks())

    np.testing.assert_allclose(game.shapley.sum(axis=0), game.logits[-1] - game.logits[0])


def test_the_smallest_deciding_set_is_the_clearest_of_its_size() -> None:
    game = region_shapley(Corners().eval(), face(), masks())

    # Hiding a leaves 1.0 against 1.5; hiding b or c alone leaves 5 and 3.
    assert game.smallest_hiding == ("a",)
    assert game.changed_to == 1


def test_where_nothing_changes_the_answer_no_set_is_named() -> None:
    class Stubborn(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return torch.tensor([[1.0, 0.0]]).expand(len(batch), 2)

    game = region_shapley(Stubborn().eval(), face(), masks())

    assert game.smallest_hiding is None
    assert game.changed_to is None


def test_regions_without_pixels_take_no_part_in_the_game() -> None:
    given = {**masks(), "chin": np.zeros((SIDE, SIDE), dtype=bool)}

    assert region_shapley(Corners().eval(), face(), given).regions == ("a", "b", "c")


def test_masks_of_another_size_are_refused() -> None:
    with pytest.raises(ExplainError, match="expected one face, and masks of its size"):
        occlude_regions(Corners().eval(), torch.zeros(1, 1, 32, 32), masks())


def test_too_many_regions_are_refused() -> None:
    rows = np.arange(SIDE)[:, None] == np.arange(9)[None, :]
    many = {
        str(number): np.repeat(rows[:, number : number + 1], SIDE, axis=1) for number in range(9)
    }

    with pytest.raises(ExplainError, match="expected 1 to 8"):
        region_shapley(Corners().eval(), face(), many)
