"""The report on a face's parts puts measured and descriptive things where they belong."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.explain import explain
from core.explain.region_reports import region_report
from core.labels import EMOTIONS


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


def test_all_sets_are_measured_only_when_asked_for(face: tuple[nn.Module, Tensor]) -> None:
    model, batch = face

    short = region_report(model, batch, quarters(64), EMOTIONS)
    long = region_report(model, batch, quarters(64), EMOTIONS, all_sets=True)

    assert short.game is None
    assert long.game is not None
    assert long.game.regions == ("eyes", "nose", "mouth")
    assert short.textbook is not None
    assert set(short.textbook.expected) <= {"eyes", "nose", "mouth"}


def test_sets_that_were_measured_before_are_taken_as_they_are(
    face: tuple[nn.Module, Tensor],
) -> None:
    model, batch = face
    before = region_report(model, batch, quarters(64), EMOTIONS, all_sets=True)

    after = region_report(model, batch, quarters(64), EMOTIONS, game=before.game)

    assert after.game is before.game
    assert after.sentence == before.sentence
