"""The paired test, against values worked out by hand."""

import json
import shutil
from pathlib import Path

import pytest
from command_line import exit_code
from grey_faces import answers

from core.checkpoints import EVALUATIONS, find_checkpoint
from core.errors import DataError
from core.evaluation import Predictions, mcnemar, shared_classes
from core.labels import EMOTIONS


def right_and_wrong(flags: str, **columns: str | list[str]) -> Predictions:
    """One answer a character, `r` for right and `w` for wrong."""
    probabilities = [[0.9, 0.1] if flag == "r" else [0.1, 0.9] for flag in flags]
    return answers([0] * len(flags), probabilities, ("happiness", "fear"), **columns)


def test_the_exact_p_value_is_twice_the_binomial_tail() -> None:
    found = mcnemar(right_and_wrong("rrrrrrrwwrw"), right_and_wrong("rrwwwwwrwww"))

    # only the first right: 6; only the second: 1; p = 2 * (1 + 7) / 2**7
    assert (found.both, found.only_first, found.only_second, found.neither) == (2, 6, 1, 2)
    assert found.p_value == pytest.approx(2 * (1 + 7) / 2**7)
    assert found.difference == pytest.approx(5 / 11)


# Newcombe (1998), Statistics in Medicine 17, 2635-2650, table III, method 10: both right, only the
# first, only the second, neither.
@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((20, 12, 2, 16), 0.0562, 0.3292),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((36, 14, 0, 0), 0.1528, 0.4167),
        ((35, 14, 0, 1), 0.1461, 0.4175),
        ((2, 97, 1, 0), 0.8721, 0.9854),
        ((0, 30, 0, 0), 0.8395, 1.0),
        ((54, 0, 0, 0), -0.0664, 0.0664),
        ((53, 0, 0, 1), -0.0729, 0.0729),
        ((30, 0, 0, 24), -0.0358, 0.0358),
    ],
)
def test_the_interval_of_the_difference_is_that_of_the_paper(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    both, one, other, neither = counts
    first = right_and_wrong("r" * both + "r" * one + "w" * other + "w" * neither)
    second = right_and_wrong("r" * both + "w" * one + "r" * other + "w" * neither)

    found, turned = mcnemar(first, second), mcnemar(second, first)

    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (turned.low, turned.high) == pytest.approx((-high, -low), abs=5e-5)


def test_runs_that_err_alike_against_their_odds_are_told_apart_by_the_wider_interval() -> None:
    found = mcnemar(right_and_wrong("rrwww"), right_and_wrong("wwrrw"))

    # 0 * 1 - 2 * 2 = -4 of a root of (2 * 3) ** 2: phi is -2 / 3; of 2 of 5 Wilson has .1176 to
    # .7693, .2824 below the share and .3693 above it.
    reach = (0.2824**2 + 2 * 2 / 3 * 0.2824 * 0.3693 + 0.3693**2) ** 0.5
    assert (found.low, found.high) == pytest.approx((-reach, reach), abs=2e-4)


def test_equal_runs_do_not_differ() -> None:
    found = mcnemar(right_and_wrong("rrw"), right_and_wrong("rrw"))

    assert (found.difference, found.p_value) == (0.0, 1.0)
    # 2 * 1 - 3 / 2 of a root of (2 * 1) ** 2: phi is 1 / 4; of 2 of 3 Wilson has .2077 to .9385.
    reach = (0.4590**2 - 2 / 4 * 0.4590 * 0.2718 + 0.2718**2) ** 0.5
    assert (found.low, found.high) == pytest.approx((-reach, reach), abs=2e-4)


def test_images_are_matched_by_pixels_not_by_order() -> None:
    first = right_and_wrong("rw", pixel_hash=["a", "b"])
    second = right_and_wrong("wr", pixel_hash=["b", "a"])

    found = mcnemar(first, second)

    assert (found.both, found.neither, found.left_out) == (1, 1, 0)


def test_copies_of_a_picture_are_matched_once_each() -> None:
    first = right_and_wrong("rrr", pixel_hash=["a", "a", "b"])
    second = right_and_wrong("rwr", pixel_hash=["a", "a", "c"])

    found = mcnemar(first, second)

    assert (found.n, found.left_out) == (2, 2)


def test_runs_without_a_common_image_are_an_error() -> None:
    with pytest.raises(DataError, match="no image in common"):
        mcnemar(right_and_wrong("r"), right_and_wrong("r", source="fer2013"))


def test_the_verdict_names_the_better_one_unless_it_may_be_luck() -> None:
    sure = mcnemar(right_and_wrong("r" * 20), right_and_wrong("w" * 10 + "r" * 10))
    lucky = mcnemar(right_and_wrong("rw"), right_and_wrong("rrr"))

    verdict, details = sure.in_words("one", "two")
    assert verdict == "one is right more often than two"
    assert details.startswith(": by 50.00 percentage points on 20 images (first less second: +")
    assert details.endswith("right on 10, only the second on 0; exact McNemar test, p = 0.0020.")
    verdict, details = lucky.in_words("one", "two")
    assert verdict == "The difference between the two may be luck"
    assert details.endswith("1 image that only one of the two was measured on is left out.")


def test_runs_are_asked_about_what_both_know() -> None:
    seven = (*EMOTIONS, "neutral")

    assert shared_classes([seven, seven[::-1]]) == seven
    assert shared_classes([seven, seven], six=True) == EMOTIONS
    assert shared_classes([EMOTIONS, seven]) == EMOTIONS
    assert shared_classes([("anger", "fear", "calm"), seven]) == ("anger", "fear")
    with pytest.raises(DataError, match="no two of the six expressions in common"):
        shared_classes([("anger", "calm"), seven])


def test_the_command_compares_runs_of_six_and_seven_classes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = ("default", "fergimefive-resnet14-joined")
    assert exit_code("compare", *runs, "--json", "-", monkeypatch=monkeypatch) == 0
    found = json.loads(capsys.readouterr().out)
    first, second = (
        Predictions.load(find_checkpoint(name)).among(EMOTIONS).of_split("test_clean")
        for name in runs
    )
    assert found["classes"] == list(EMOTIONS)
    expected = mcnemar(first, second)
    assert (found["n"], found["p_value"]) == (expected.n, expected.p_value)
    assert found["difference"] == expected.difference

    assert exit_code("compare", "default", "default", monkeypatch=monkeypatch) == 0
    assert "7 classes. The difference between the two may be luck: by 0.00" in (
        capsys.readouterr().out
    )


def test_the_command_judges_on_the_first_runs_own_sources(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = "gimefive-rafdb", "rafdb-resnet18-10-epochs"  # this one without its weights

    assert exit_code("compare", first, "default", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.startswith("test_clean of RAF-DB, 6 classes.")
    assert exit_code("compare", second, first, "--json", "-", monkeypatch=monkeypatch) == 0
    assert json.loads(capsys.readouterr().out)["sources"] == ["raf_db"]


def test_the_command_reads_what_was_measured_elsewhere_and_nothing_of_other_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", str(tmp_path))
    name, options = "gimefive-rafdb", ("--data", "mine")
    shipped = find_checkpoint(name)
    place = tmp_path / EVALUATIONS / name / "mine"
    place.mkdir(parents=True)
    assert exit_code("compare", name, name, *options, monkeypatch=monkeypatch) == 1
    assert "evaluate gimefive-rafdb --data mine" in capsys.readouterr().err.replace("\n", " ")

    for file in ("report.json", "predictions.npz"):
        shutil.copy(shipped / file, place)
    assert exit_code("compare", name, name, *options, monkeypatch=monkeypatch) == 0
    assert "on 2,374 images" in capsys.readouterr().out

    shutil.copytree(shipped, tmp_path / "own")
    (tmp_path / "own" / "weights.safetensors").write_bytes(b"others")
    assert exit_code("compare", "own", name, monkeypatch=monkeypatch) == 1
    assert "own was not measured with the weights" in capsys.readouterr().err.replace("\n", " ")
