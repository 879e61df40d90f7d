"""Textbook patterns as data."""

import json
from importlib.resources import files

import numpy as np
import pytest

from core.explain.action_units import agreement, textbook_pattern, textbook_sources
from core.faces import REGIONS
from core.labels import EMOTIONS

TEXTBOOK = {
    "happiness": (6, 12),
    "surprise": (1, 2, 5, 26),
    "sadness": (1, 4, 15),
    "anger": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
}


@pytest.mark.parametrize("label", EMOTIONS)
def test_every_expression_has_its_pattern(label: str) -> None:
    units = textbook_pattern(label)

    assert tuple(unit.number for unit in units) == TEXTBOOK[label]
    assert all(unit.name for unit in units)


def test_all_regions_named_are_regions_of_the_face() -> None:
    table = json.loads((files("core.explain") / "action_units.json").read_text())

    named = {region for unit in table["units"].values() for region in unit["regions"]}

    assert named <= set(REGIONS) - {"background"}


def test_the_data_says_where_it_comes_from_and_what_it_is_not() -> None:
    sources = textbook_sources()

    assert any("Ekman" in source for source in sources)
    assert "plausibility, not faithfulness" in sources[-1]


def test_agreement_compares_the_positive_effects() -> None:
    regions = ("brows", "eyes", "nose", "mouth")
    effects = np.array([0.0, 1.0, 2.0, -5.0])

    found = agreement("disgust", regions, effects)  # nose, mouth, chin

    assert found is not None
    assert found.expected == ("nose", "mouth")
    assert found.share == pytest.approx(2 / 3)
    assert found.chance == 0.5
    assert found.is_consistent


def test_the_strongest_region_elsewhere_is_not_consistent() -> None:
    found = agreement("disgust", ("brows", "nose"), np.array([2.0, 1.0]))

    assert found is not None
    assert not found.is_consistent


def test_no_positive_effect_agrees_with_nothing() -> None:
    found = agreement("disgust", ("brows", "nose"), np.array([-2.0, 0.0]))

    assert found is not None
    assert (found.share, found.is_consistent) == (0.0, False)


def test_neutral_has_no_pattern() -> None:
    assert agreement("neutral", ("nose",), np.array([1.0])) is None
