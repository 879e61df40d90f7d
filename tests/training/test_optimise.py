"""Schedules, decay groups, running average and macro-F1, against numbers worked out by hand."""

import pytest
import torch
from torch import nn

from core.training import RunConfig
from core.training.optimise import (
    WeightAverage,
    build_optimiser,
    learning_rate,
    precision,
    take_up,
)
from core.training.progress import figures


def rates(steps: int = 100, **settings: object) -> list[float]:
    config = RunConfig(learning_rate=1.0, **settings)  # type: ignore[arg-type]
    return [learning_rate(config, step, steps, step // 10) for step in range(steps)]


def test_one_cycle_rises_from_a_25th_and_falls_to_its_end() -> None:
    values = rates(schedule="one_cycle", warmup=0.2, final_rate=0.001)

    assert values[0] == pytest.approx(1 / 25, abs=0.01)
    assert max(values) == pytest.approx(1.0, abs=1e-6)
    assert values.index(max(values)) == 20
    assert values[60] == pytest.approx((1 + 0.001) / 2, abs=1e-6)  # half way down
    assert values[-1] == pytest.approx(0.001, abs=0.001)


def test_constant_stays_and_exponential_multiplies_each_epoch() -> None:
    assert set(rates(schedule="constant", warmup=0.0)) == {1.0}

    values = rates(schedule="exponential", warmup=0.0, final_rate=0.0)

    assert values[10] / values[9] == pytest.approx(0.97)
    assert values[1] == values[0]


def test_cosine_is_half_way_in_the_middle() -> None:
    assert rates(schedule="cosine", warmup=0.0, final_rate=0.0)[50] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)],
)
def test_every_optimiser_spares_vectors_from_decay(name: str, kind: type) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))

    optimiser = build_optimiser(model, RunConfig(optimiser=name, weight_decay=0.1))  # type: ignore[arg-type]

    matrices, vectors = optimiser.param_groups
    assert type(optimiser) is kind
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
    assert [len(group["params"]) for group in optimiser.param_groups] == [1, 3]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_a_fused_step_is_the_same_step(name: str) -> None:
    results = []
    for fused in (False, True):
        torch.manual_seed(0)
        model = nn.Linear(5, 3)
        optimiser = build_optimiser(model, RunConfig(optimiser=name), fused=fused)  # type: ignore[arg-type]
        for _ in range(3):
            optimiser.zero_grad()
            (model(torch.randn(4, 5)) ** 2).sum().backward()
            optimiser.step()
        results.append(model.weight.detach())

    torch.testing.assert_close(results[0], results[1])


def test_the_papers_optimiser_decays_everything() -> None:
    optimiser = build_optimiser(nn.Linear(2, 2), RunConfig(decay_all=True))

    assert len(optimiser.param_groups) == 1
    assert len(optimiser.param_groups[0]["params"]) == 2


def test_the_average_moves_by_the_stated_shares() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = WeightAverage(model, decay=0.25)
    nn.init.ones_(model.weight)

    average.update(model)  # (1 + 1) / (10 + 1) = 0.18 < 0.25, so 9/11 of the way
    assert float(average.state["weight"]) == pytest.approx(9 / 11)

    average.update(model)  # 3 / 12 = 0.25: three quarters of what is left
    assert float(average.state["weight"]) == pytest.approx(1 - (2 / 11) * 0.25)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"avx2": True}, "32-true"),
        ({"avx512_f": True, "avx512_bf16": False}, "32-true"),  # would emulate it
        ({"avx512_bf16": True}, "bf16-mixed"),
        ({"amx_bf16": True}, "bf16-mixed"),
    ],
)
def test_bfloat16_is_taken_where_the_processor_computes_in_it(
    units: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: units)

    assert precision(RunConfig(accelerator="cpu")) == expected


def test_a_precision_that_is_named_is_used() -> None:
    assert precision(RunConfig(precision="bf16-mixed")) == "bf16-mixed"
    assert precision(RunConfig(precision="32-true")) == "32-true"


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_an_optimiser_takes_up_what_another_remembers_and_keeps_its_settings(name: str) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    config = RunConfig(optimiser=name, momentum=0.9, weight_decay=0.1, nesterov=True)  # type: ignore[arg-type]
    before = build_optimiser(model, config)
    model(torch.ones(4, 2)).square().sum().backward()
    before.step()

    after = build_optimiser(
        model, config.replaced(momentum=0.5, weight_decay=0.7, nesterov=False, learning_rate=0.2)
    )
    take_up(after, before.state_dict())

    matrices, vectors = after.param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.7, 0.0)
    assert (matrices["momentum"] if name == "sgd" else matrices["betas"][0]) == 0.5
    assert matrices.get("nesterov", False) is False
    for value in model.parameters():
        known, kept = before.state[value], after.state[value]
        assert known.keys() == kept.keys() != set()
        assert all(torch.equal(known[key], kept[key]) for key in known)


def test_macro_f1_is_the_mean_over_the_classes_that_occur_as_in_reports() -> None:
    logits = torch.eye(6)[[0, 0, 1, 2]]

    found = figures(logits, torch.tensor([0, 0, 1, 1]))

    # F1: 1 for the first class, 2 / 3 for the second; the third only as a wrong answer.
    assert found["valid_macro_f1"] == pytest.approx(5 / 6)
    assert found["valid_accuracy"] == 0.75
