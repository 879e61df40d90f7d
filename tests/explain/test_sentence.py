"""Sentences say what was measured, and no more."""

import numpy as np

from core.explain.region_occlusion import RegionOcclusion, RegionShapley
from core.explain.region_reports import sentence

LABELS = ("happiness", "surprise")
REGIONS = ("mouth", "eyes", "background")


def hidden(*probabilities: float) -> RegionOcclusion:
    """The face, then each region hidden, by the probability of happiness."""
    logits = np.array([[np.log(p / (1 - p)), 0.0] for p in probabilities])
    pictures = np.zeros((3, 1, 8, 8), dtype=np.float32)
    return RegionOcclusion(REGIONS, logits[0], logits[1:], pictures)


def test_the_sentence_tells_the_probability_that_the_page_tells() -> None:
    warm = hidden(0.8, 0.8, 0.8, 0.8)
    cold = RegionOcclusion(warm.regions, warm.whole, warm.logits, warm.pictures, temperature=0.5)

    # Odds of 4 to 1 at half the temperature: 16 to 1.
    assert sentence(LABELS, cold).startswith("The network answers happiness (94%).")


def game(*names: str, to: int | None) -> RegionShapley:
    return RegionShapley(REGIONS[:2], np.zeros((4, 2)), np.zeros((2, 2)), names or None, to)


def test_the_strongest_part_is_named_with_its_measured_effect() -> None:
    text = sentence(LABELS, hidden(0.97, 0.60, 0.90, 0.10))

    assert text == (
        "The network answers happiness (97%). Hiding the mouth lowers this to 60%; "
        "the next strongest part, the eyes, to 90%."
    )


def test_a_changed_answer_is_said() -> None:
    text = sentence(LABELS, hidden(0.97, 0.30, 0.90, 0.97))

    assert "Hiding the mouth lowers this to 30% and changes the answer to surprise" in text


def test_small_effects_are_called_small() -> None:
    text = sentence(LABELS, hidden(0.97, 0.96, 0.95, 0.20))

    assert text == (
        "The network answers happiness (97%). Hiding any single part of the face lowers this by "
        "less than 5 points."
    )


def test_a_part_that_speaks_against_the_answer_is_named() -> None:
    text = sentence(LABELS, hidden(0.60, 0.50, 0.80, 0.60))

    assert text.endswith("The eyes speak against happiness: hidden, it rises to 80%.")


def test_the_deciding_set_is_named() -> None:
    one = sentence(LABELS, hidden(0.97, 0.3, 0.9, 0.9), game("mouth", to=1))
    two = sentence(LABELS, hidden(0.97, 0.6, 0.9, 0.9), game("mouth", "eyes", to=1))
    none = sentence(LABELS, hidden(0.97, 0.6, 0.9, 0.9), game(to=None))

    assert one.endswith("Hiding the mouth alone is enough to change it to surprise.")
    assert two.endswith(
        "Hiding the mouth and the eyes together is enough to change it to surprise."
    )
    assert none.endswith("No set of hidden parts changes the answer from happiness.")
