"""What a stored faithfulness report recommends."""

import json
from pathlib import Path
from typing import Any

import pytest
from made_faithfulness import made_entry, made_report

from core.explain import recommended_layers, recommended_method, stored_faithfulness
from core.files import fingerprint

GOOD = {
    "verdict": "beats its controls",
    "sanity": "passes",
    "ci": [0.05, 0.6],
    "legible": 0.95,
    "places": 2.0,
    "blank": 0.0,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "weights.safetensors").write_bytes(bytes(range(256)))
    return tmp_path


def keep(run: Path, methods: dict[str, dict[str, Any]], **facts: Any) -> None:  # noqa: ANN401
    whole = {name: made_entry(**entry) for name, entry in methods.items()}
    found = made_report(weights_fingerprint=fingerprint(run / "weights.safetensors"), **facts)
    (run / "faithfulness.json").write_text(json.dumps({**found, "methods": whole}))


def test_of_the_methods_that_pass_the_highest_gap_is_recommended(run: Path) -> None:
    keep(
        run,
        {
            "grad_cam": {"gap": 0.1, **GOOD},
            "hires_cam": {"gap": 0.3, **GOOD},
            "layer_cam": {"gap": 0.29, **GOOD},
        },
    )

    assert recommended_method(run) == "hires_cam"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("hires_cam", {"verdict": "does not beat its controls"}),
        ("hires_cam", {"sanity": "partly"}),
        ("hires_cam", {"sanity": "fails"}),
        ("hires_cam", {"sanity": "unknown"}),
        ("hires_cam", {"legible": 0.6}),  # a speckle
        ("hires_cam", {"legible": None}),  # measured before legibility was
        ("hires_cam", {"places": 7.5}),
        ("hires_cam", {"blank": 0.84}),
        ("activation", {}),  # the same for every class
        ("occlusion", {}),  # too slow to answer at once
        ("gone", {}),  # of a version that knew other methods
    ],
)
def test_a_better_gap_alone_recommends_nothing(
    run: Path, name: str, fault: dict[str, str | float | None]
) -> None:
    keep(run, {name: {"gap": 0.5, **GOOD, **fault}, "grad_cam_pp": {"gap": 0.1, **GOOD}})

    assert recommended_method(run) == "grad_cam_pp"


def test_if_none_passes_randomisation_the_best_that_does_partly_is_recommended(run: Path) -> None:
    keep(
        run,
        {
            "hires_cam": {"gap": 0.5, **GOOD, "sanity": "fails"},
            "layer_cam": {"gap": 0.2, **GOOD, "sanity": "partly"},
            "cam": {"gap": 0.1, **GOOD, "sanity": "partly"},
        },
    )

    assert recommended_method(run) == "layer_cam"


def test_without_a_report_or_a_passing_method_it_is_one_that_can_be_read(run: Path) -> None:
    assert recommended_method(run) == "smooth_layer_cam"

    keep(run, {"hires_cam": {"gap": 0.5, **GOOD, "sanity": "fails"}})
    assert recommended_method(run) == "smooth_layer_cam"

    (run / "reference.safetensors").write_bytes(b"")
    assert recommended_method(run) == "expected_cam"


def test_a_report_of_other_weights_counts_for_nothing(run: Path) -> None:
    keep(run, {"hires_cam": {"gap": 0.5, **GOOD, "layer": "b"}})
    assert stored_faithfulness(run) is not None
    assert recommended_layers(run) == {"hires_cam": "b"}

    (run / "weights.safetensors").write_bytes(bytes(256))

    assert stored_faithfulness(run) is None
    assert recommended_method(run) == "smooth_layer_cam"
    assert recommended_layers(run) == {}


@pytest.mark.parametrize("text", ["[]", "{", '{"methods": []}', ""])
def test_a_file_without_a_report_counts_for_nothing(run: Path, text: str) -> None:
    (run / "faithfulness.json").write_text(text)

    assert stored_faithfulness(run) is None
