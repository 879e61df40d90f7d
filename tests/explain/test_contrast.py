"""The map of a difference is the difference of maps, where maps are linear in the logit."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.errors import ExplainError
from core.explain import contrast_map, explain
from core.labels import EMOTIONS
from core.types import Explanation


def made(method: str, *, signed: bool) -> Explanation:
    maps = np.array([[[3.0, -1.0]], [[1.0, 4.0]]], dtype=np.float32)
    return Explanation(method, "input", ("anger", "fear"), maps, signed=signed)


def test_what_speaks_for_one_and_for_the_other_is_subtracted() -> None:
    explanation = made("hires_cam", signed=True)

    assert contrast_map(explanation, "anger", "fear").tolist() == [[2.0, -5.0]]
    assert contrast_map(explanation, "fear", "anger").tolist() == [[-2.0, 5.0]]


def test_a_method_without_signs_is_refused_with_a_sentence() -> None:
    with pytest.raises(ExplainError, match="Grad-CAM keeps only what speaks for"):
        contrast_map(made("grad_cam", signed=False), "anger", "fear")


def test_a_complete_map_sums_to_the_difference_of_the_logits(
    trained_like: Callable[..., nn.Module], face_like: Callable[..., Tensor]
) -> None:
    model, batch = trained_like("gimefive", width=4), face_like("gimefive")
    explanation = explain(model, batch, EMOTIONS, "integrated_gradients")
    with torch.no_grad():
        logits = model(torch.cat([batch, torch.zeros_like(batch)])).double().numpy()

    found = contrast_map(explanation, "happiness", "fear")

    own, grey = logits[:, 0] - logits[:, 5]
    assert float(found.sum()) == pytest.approx(own - grey, abs=2e-3)
