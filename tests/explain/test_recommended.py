"""What a stored faithfulness report recommends."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.explain import recommended_layers, recommended_method, stored_faithfulness
from core.files import fingerprint

GOOD = {
    "verdict": "beats its controls",
    "sanity": "passes",
    "ci": [0.05, 0.6],
    "average_drop": 0.3,
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "weights.safetensors").write_bytes(bytes(range(256)))
    return tmp_path


def keep(run: Path, methods: dict[str, dict[str, Any]], **facts: Any) -> None:  # noqa: ANN401
    found = {"weights_fingerprint": fingerprint(run / "weights.safetensors"), **facts}
    (run / "faithfulness.json").write_text(json.dumps({"methods": methods, **found}))


def test_of_the_methods_that_pass_the_highest_gap_is_recommended(run: Path) -> None:
    keep(
        run,
        {
            "grad_cam": {"gap": 0.1, **GOOD},
            "hires_cam": {"gap": 0.3, **GOOD, "ci": [0.25, 0.35]},
            "layer_cam": {"gap": 0.2, **GOOD, "average_drop": 0.0},
        },
    )

    assert recommended_method(run) == "hires_cam"


def test_of_equal_gaps_the_map_that_keeps_most_is_recommended(run: Path) -> None:
    keep(
        run,
        {
            "hires_cam": {"gap": 0.3, **GOOD, "ci": [0.25, 0.35], "average_drop": 0.5},
            "layer_cam": {"gap": 0.26, **GOOD, "average_drop": 0.1},
            "grad_cam": {"gap": 0.24, **GOOD, "average_drop": 0.0},
        },
    )

    assert recommended_method(run) == "layer_cam"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("hires_cam", {"verdict": "does not beat its controls"}),
        ("hires_cam", {"sanity": "partly"}),
        ("hires_cam", {"sanity": "fails"}),
        ("hires_cam", {"sanity": "unknown"}),
        ("activation", {}),  # the same for every class
        ("occlusion", {}),  # too slow to answer at once
        ("gone", {}),  # of a version that knew other methods
    ],
)
def test_a_better_gap_alone_recommends_nothing(run: Path, name: str, fault: dict[str, str]) -> None:
    keep(run, {name: {"gap": 0.5, **GOOD, **fault}, "grad_cam_pp": {"gap": 0.1, **GOOD}})

    assert recommended_method(run) == "grad_cam_pp"


def test_without_a_table_or_a_passing_method_it_is_layer_cam(run: Path) -> None:
    assert recommended_method(run) == "layer_cam"

    keep(run, {"hires_cam": {"gap": 0.5, **GOOD, "sanity": "fails"}})
    assert recommended_method(run) == "layer_cam"


def test_a_report_of_other_weights_counts_for_nothing(run: Path) -> None:
    keep(run, {"hires_cam": {"gap": 0.5, **GOOD, "layer": "b"}})
    assert stored_faithfulness(run) is not None
    assert recommended_layers(run) == {"hires_cam": "b"}

    (run / "weights.safetensors").write_bytes(bytes(256))

    assert stored_faithfulness(run) is None
    assert recommended_method(run) == "layer_cam"
    assert recommended_layers(run) == {}


@pytest.mark.parametrize("text", ["[]", "{", '{"methods": []}', ""])
def test_a_file_without_a_report_counts_for_nothing(run: Path, text: str) -> None:
    (run / "faithfulness.json").write_text(text)

    assert stored_faithfulness(run) is None
