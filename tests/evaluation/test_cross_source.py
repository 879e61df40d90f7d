"""Figures a source, and the portrait shortcut, on counts one can check."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from grey_faces import answers

from core.evaluation import (
    Predictions,
    SourceScore,
    by_source,
    recipe,
    shortcut,
    trained_alike,
)
from core.evaluation.report import build_report
from core.training import RunConfig, RunFolder

HAPPY, OTHER = [0.9, 0.1], [0.2, 0.8]


def validation(rows: list[tuple[str, int, bool, int]]) -> Predictions:
    """Clean validation images given as origin, true class, called happiness?, how often."""
    true = [number for _, number, _, times in rows for _ in range(times)]
    scores = [HAPPY if called else OTHER for _, _, called, times in rows for _ in range(times)]
    origin = [name for name, _, _, times in rows for _ in range(times)]
    source = ["affectnet" if name else "raf_db" for name in origin]
    labels = ("happiness", "fear")
    return answers(true, scores, labels, origin=origin, source=source, part="valid")


def test_the_shortcut_is_the_difference_of_two_recalls() -> None:
    found = shortcut(
        validation(
            [
                ("ffhq", 0, True, 95),
                ("ffhq", 0, False, 5),
                ("", 0, True, 6),
                ("", 0, False, 14),
                ("ffhq", 1, True, 3),
                ("ffhq", 1, False, 7),
                ("", 1, True, 50),
            ]
        )
    )

    assert found is not None
    assert (found.portraits, found.others) == (0.95, 0.3)
    assert (found.n_portraits, found.n_others) == (100, 20)
    assert found.false_portraits == 0.3
    assert found.gap == pytest.approx(0.65)
    # Wilson has .8882 to .9785 of 95 of 100 and .1455 to .5190 of 6 of 20; Newcombe (1998) squares
    # and adds .0618 and .2190 below, .0285 and .1545 above.
    assert found.low == pytest.approx(0.65 - (0.0618**2 + 0.2190**2) ** 0.5, abs=2e-4)
    assert found.high == pytest.approx(0.65 + (0.0285**2 + 0.1545**2) ** 0.5, abs=2e-4)


def test_a_shortcut_of_few_portraits_is_not_certain() -> None:
    alike = shortcut(validation([("ffhq", 0, True, 3), ("", 0, True, 2)]))
    apart = shortcut(validation([("ffhq", 0, True, 2), ("", 0, False, 2)]))

    # With z**2 = 3.8415 Wilson has 3 of 3 above 3 / 6.8415 and 2 of 2 above 2 / 5.8415.
    assert alike is not None
    assert apart is not None
    assert (alike.low, alike.high) == pytest.approx((-0.5615, 0.6576), abs=1e-4)
    assert (apart.low, apart.high) == pytest.approx((1 - 2**0.5 * 0.6576, 1.0), abs=1e-4)


def test_there_is_no_shortcut_to_measure_without_both_groups() -> None:
    assert shortcut(validation([("ffhq", 0, True, 5)])) is None
    assert shortcut(validation([("", 0, True, 5)])) is None


def test_each_source_is_judged_on_its_test_or_else_on_clean_validation() -> None:
    predictions = answers(
        [0, 0, 0, 1],
        [HAPPY, OTHER, HAPPY, OTHER],
        ("happiness", "fear"),
        source=["raf_db", "raf_db", "raf_db", "affectnet"],
        part=["test", "test", "valid", "valid"],
    )
    report = build_report(predictions, {"sources": ["raf_db"], "threshold": 0.0})

    found = by_source(report)

    seen = [(one.source, one.part, one.n, one.accuracy, one.seen) for one in found]
    assert seen == [("raf_db", "test", 2, 0.5, True), ("affectnet", "valid", 1, 1.0, False)]
    assert found[1].macro_f1 == 1.0
    assert found[0].accuracy_interval[0] <= 0.5 <= found[0].accuracy_interval[1]


def test_runs_that_differ_in_image_sets_alone_were_trained_alike(tmp_path: Path) -> None:
    settings = RunConfig(model="resnet14", epochs=5)
    others: dict[str, dict[str, Any]] = {
        "with": {"sources": ("raf_db", "fer2013"), "seed": 1, "data": "other"},
        "without": {"sources": ("fer2013",)},
        "longer": {"sources": ("raf_db",), "epochs": 6},
    }
    for name, changed in others.items():
        RunFolder(tmp_path / name).create(replace(settings, **changed))

    recipes = {name: recipe(tmp_path / name) for name in (*others, "absent")}

    assert recipes["with"] == recipes["without"] != recipes["longer"]
    assert recipes["absent"] is None


def test_networks_without_an_image_set_stand_beside_those_trained_alike_with_it() -> None:
    ends = (0.0, 1.0)
    found = {
        name: SourceScore("raf_db", "test", 100, accuracy, ends, accuracy, ends, seen)
        for name, accuracy, seen in (
            ("without", 0.6, False),
            ("with", 0.7, True),
            ("long with", 0.9, True),
            ("alone", 0.5, False),
            ("unknown", 0.4, False),
            ("imported", 0.3, None),
        )
    }
    recipes = {"without": "short", "with": "short", "long with": "long", "alone": "odd"}
    recipes["imported"] = "short"

    assert trained_alike(found, recipes) == [("without", ["with"])]
