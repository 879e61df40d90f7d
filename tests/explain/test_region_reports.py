"""Everything about the parts of one face, and the sentence that says it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.explain import explain
from core.explain.region_occlusion import RegionOcclusion, RegionShapley, region_shapley
from core.explain.region_reports import region_report, sentence
from core.labels import EMOTIONS

LABELS = ("happiness", "surprise")
REGIONS = ("mouth", "eyes", "background")


def quarters(side: int) -> dict[str, NDArray[np.bool_]]:
    names = ("eyes", "nose", "mouth", "background")
    rows = np.arange(side) * 4 // side
    return {
        name: np.repeat((rows == number)[:, None], side, axis=1)
        for number, name in enumerate(names)
    }


@pytest.fixture
def face(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> tuple[nn.Module, Tensor]:
    return trained_like("gimefive", width=4), face_like("gimefive")


def test_the_answer_and_the_runner_up_are_the_networks(face: tuple[nn.Module, Tensor]) -> None:
    model, batch = face
    with torch.no_grad():
        order = model(batch)[0].argsort(descending=True)

    report = region_report(model, batch, quarters(64), EMOTIONS)

    assert report.predicted == EMOTIONS[order[0]]
    assert report.runner_up == EMOTIONS[order[1]]
    assert report.sentence.startswith(f"The network answers {report.predicted} (")


def test_evidence_over_all_regions_is_the_whole_map(face: tuple[nn.Module, Tensor]) -> None:
    model, batch = face

    report = region_report(model, batch, quarters(64), EMOTIONS)

    assert report.explanation.maps.shape[1:] == (16, 16)
    own = report.explanation.map_of(report.predicted)
    assert sum(entry.evidence for entry in report.evidence) == pytest.approx(own.sum(), abs=1e-5)
    assert sum(entry.share for entry in report.evidence) == pytest.approx(1)


def test_a_coarse_map_is_replaced_and_a_fine_one_is_kept(face: tuple[nn.Module, Tensor]) -> None:
    model, batch = face
    coarse = explain(model, batch, EMOTIONS, "grad_cam")
    fine = explain(model, batch, EMOTIONS, "layer_cam")

    assert region_report(
        model, batch, quarters(64), EMOTIONS, explanation=coarse
    ).explanation.method == "hires_cam"  # fmt: skip
    assert region_report(model, batch, quarters(64), EMOTIONS, explanation=fine).explanation is fine


def test_the_sets_of_regions_are_told_where_they_were_measured(
    face: tuple[nn.Module, Tensor],
) -> None:
    model, batch = face
    game = region_shapley(model, batch, quarters(64))

    short = region_report(model, batch, quarters(64), EMOTIONS)
    long = region_report(model, batch, quarters(64), EMOTIONS, game=game)

    assert (short.game, long.game) == (None, game)
    assert game.regions == ("eyes", "nose", "mouth")
    assert len(long.sentence) > len(short.sentence)
    assert short.textbook is not None
    assert set(short.textbook.expected) <= {"eyes", "nose", "mouth"}


def hidden(*probabilities: float) -> RegionOcclusion:
    """The face, then each region hidden, by the probability of happiness."""
    logits = np.array([[np.log(p / (1 - p)), 0.0] for p in probabilities])
    pictures = np.zeros((3, 1, 8, 8), dtype=np.float32)
    return RegionOcclusion(REGIONS, logits[0], logits[1:], pictures)


def test_the_sentence_tells_the_probability_that_the_page_tells() -> None:
    warm = hidden(0.8, 0.8, 0.8, 0.8)
    cold = RegionOcclusion(warm.regions, warm.whole, warm.logits, warm.pictures, temperature=0.5)

    # Odds of 4 to 1 at half the temperature: 16 to 1.
    assert sentence(LABELS, cold).startswith("The network answers happiness (94.1 %).")


def game(*names: str, to: int | None) -> RegionShapley:
    return RegionShapley(REGIONS[:2], np.zeros((4, 2)), np.zeros((2, 2)), names or None, to)


def test_the_strongest_part_is_named_with_its_measured_effect() -> None:
    text = sentence(LABELS, hidden(0.97, 0.60, 0.90, 0.10))

    assert text == (
        "The network answers happiness (97.0 %). Hiding the mouth lowers this to 60.0 %; "
        "the next strongest part, the eyes, to 90.0 %."
    )


@pytest.mark.parametrize("eyes", [0.93, 0.97, 0.99])
def test_a_part_that_lowers_the_answer_little_or_not_is_not_called_strong(eyes: float) -> None:
    text = sentence(LABELS, hidden(0.97, 0.60, eyes, 0.10))

    assert text.endswith("lowers this to 60.0 %; no other part lowers it by 5 points.")


def test_a_changed_answer_is_said() -> None:
    text = sentence(LABELS, hidden(0.97, 0.30, 0.90, 0.97))

    assert "Hiding the mouth lowers this to 30.0 % and changes the answer to surprise" in text


def test_small_effects_are_called_small() -> None:
    text = sentence(LABELS, hidden(0.97, 0.96, 0.95, 0.20))

    assert text == (
        "The network answers happiness (97.0 %). Hiding any single part of the face changes "
        "this by less than 5 points."
    )


def test_a_part_that_speaks_against_the_answer_is_named() -> None:
    text = sentence(LABELS, hidden(0.60, 0.50, 0.80, 0.60))

    assert text.endswith("The eyes speak against happiness: hidden, it rises to 80.0 %.")


def test_the_deciding_set_is_named() -> None:
    one = sentence(LABELS, hidden(0.97, 0.3, 0.9, 0.9), game("mouth", to=1))
    two = sentence(LABELS, hidden(0.97, 0.6, 0.9, 0.9), game("mouth", "eyes", to=1))
    none = sentence(LABELS, hidden(0.97, 0.6, 0.9, 0.9), game(to=None))

    assert one.endswith("Hiding the mouth alone is enough to change it to surprise.")
    assert two.endswith(
        "Hiding the mouth and the eyes together is enough to change it to surprise."
    )
    assert none.endswith("No set of hidden parts changes the answer from happiness.")
