"""Run folders and cards of strangers: refused in a sentence, and no other run suffers."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.checkpoints import SHAPES, damage
from core.cli import app
from core.errors import CheckpointError, TrainingError
from core.evaluation import all_runs
from core.models import Card, build, load_model, save_weights
from core.training import (
    DAMAGED,
    RunConfig,
    RunFolder,
    Worker,
    add_run,
    delete_job,
    list_runs,
    observe,
    waiting,
)

DEEP = b"[" * 100_000
SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=8)
    | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with a network of two blocks."""
    folder = tmp_path_factory.mktemp("tiny")
    options = {"depth": 2, "width": 4}
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    labels = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
    Card(model="gimefive", labels=labels, model_options=options).save(folder / "card.json")
    return folder


def changed(folder: Path, **values: Any) -> Path:  # noqa: ANN401 - JSON
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **values}))
    return folder


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": "hot"},
        {"temperature": None},
        {"temperature": [1]},
        {"threshold": "x"},
        {"threshold": float("nan")},
        {"model": ["gimefive"]},
        {"model_options": "x"},
        {"model_options": {"classes": 10}},
        {"model_options": {"width": 10**9}},
        {"model_options": {"width": float("inf")}},
        {"model_options": {"depth": -1}},
        {"labels": [f"class {number}" for number in range(1_000_000)]},
        {"labels": ["happiness", "![t](http://127.0.0.1:9/x.png)"]},
        {"title": 5},
        {"preprocess": {"size": 64, "crop": 64, "mean": [0.5], "std": [0.5]}},
        {"preprocess": {"size": 64, "crop": 64, "mean": [0.5] * 3, "std": [float("nan")] * 3}},
        {"preprocess": {"size": 10**9, "crop": 10**9, "mean": [0.5] * 3, "std": [0.5] * 3}},
    ],
    ids=lambda values: "{}={:.40}".format(*next((key, str(one)) for key, one in values.items())),
)
def test_a_card_that_cannot_be_is_refused_before_anything_is_built(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
) -> None:
    folder = changed(Path(shutil.copytree(tiny, tmp_path / "one")), **values)
    monkeypatch.setattr("torch.empty", _small(torch.empty))

    with pytest.raises(CheckpointError) as refused:
        load_model(folder)

    assert len(str(refused.value)) < 500
    assert "\n" not in str(refused.value)


def _small(real: Callable[..., Any]) -> Callable[..., Any]:
    """Laying out tensors on the CPU, which a refused network must never ask much of."""

    def empty(*size: Any, **more: Any) -> Any:  # noqa: ANN401 - as torch.empty
        found = real(*size, **more)
        assert found.is_meta or found.numel() < 1e7
        return found

    return empty


def test_weights_that_are_no_numbers_are_refused(tiny: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "one"))
    state = build("gimefive", 6, depth=2, width=4).state_dict()
    state["blocks.block1.conv.bias"][1] = float("nan")
    save_weights(state, folder / "weights.safetensors")

    with pytest.raises(CheckpointError, match=r"blocks\.block1\.conv\.bias that are no numbers"):
        load_model(folder)


@SHARED
@given(key=st.sampled_from([*Card.__dataclass_fields__]), value=JSON)
def test_any_value_in_a_card_is_used_or_refused(
    tiny: Path, tmp_path: Path, key: str, value: object
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "one", dirs_exist_ok=True))
    with suppress(CheckpointError):
        load_model(changed(folder, **{key: value}))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("status.json", b"\xff\xfe\x00"),
        ("status.json", b'{"state": "finished", "time": null}'),
        ("status.json", b'{"state": "running", "pid": "abc"}'),
        ("status.json", DEEP),
        ("progress.json", b'{"share": "x"}'),
        ("job.json", DEEP),
        ("config.json", b"5"),
        ("config.json", b'{"augment": null}'),
        ("metrics.jsonl", b'5\n{"epoch": "x"}\n'),
    ],
)
def test_a_damaged_run_hides_no_other(own_runs: Path, name: str, content: bytes) -> None:
    add_run(own_runs, "good", RunConfig())
    bad = add_run(own_runs, "bad", RunConfig())
    bad.set_status("running" if name == "progress.json" else "queued")
    (bad.path / name).write_bytes(content)

    listed = CliRunner().invoke(app, ["queue", "list"])
    Worker(own_runs, command=lambda *_: ["true"])._tidy()

    assert listed.exit_code == 0, listed.exception
    assert f"{'good':<40} queued" in listed.output
    assert {run.name for run in list_runs(own_runs)} == {"good", "bad"}
    assert "good" in {run.name for run in waiting(own_runs)}
    assert list(bad.history()) == []
    if name in ("status.json", "config.json", "job.json"):
        assert f"{'bad':<40} damaged" in listed.output
        assert name in listed.output
    if name == "status.json":
        assert observe(bad).state == DAMAGED
    if name == "config.json":
        with pytest.raises(CheckpointError, match=r"config\.json of bad cannot be read"):
            bad.config()


@SHARED
@given(name=st.sampled_from([*SHAPES, "progress.json"]), content=JSON | st.binary(max_size=20))
def test_any_content_of_any_file_leaves_the_others_readable(
    own_runs: Path, name: str, content: object
) -> None:
    good, bad = RunFolder(own_runs / "good"), RunFolder(own_runs / "bad")
    shutil.rmtree(bad.path, ignore_errors=True)
    for folder in (good, bad):
        folder.create(RunConfig())
        folder.set_status("finished")
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (bad.path / name).write_bytes(data)

    shown = CliRunner().invoke(app, ["queue", "list"])

    assert shown.exit_code == 0, shown.exception
    assert "good" in {run.name for run in all_runs()}
    assert "good" in {run.name for run in list_runs(own_runs)}
    assert isinstance(bad.kept(), dict)
    assert isinstance(bad.progress(), dict)
    assert isinstance(observe(bad).since, float)
    with suppress(CheckpointError):
        bad.config()


def test_a_damaged_run_can_be_removed_and_one_at_work_cannot(own_runs: Path) -> None:
    bad = add_run(own_runs, "bad", RunConfig())
    (bad.path / "status.json").write_bytes(DEEP)
    add_run(own_runs, "good", RunConfig())

    removed = CliRunner().invoke(app, ["queue", "remove", "bad"])

    assert removed.exit_code == 0, removed.exception
    assert not bad.path.exists()
    with pytest.raises(TrainingError, match="at work or queued"):
        delete_job(RunFolder(own_runs / "good"))


def test_an_imported_checkpoint_with_a_damaged_card_can_be_removed(
    own_runs: Path, tiny: Path
) -> None:
    folder = Path(shutil.copytree(tiny, own_runs / "strange"))
    (folder / "card.json").write_bytes(b"[1]")

    assert damage(folder) == "card.json cannot be read (expected object, got array)."
    delete_job(RunFolder(folder))

    assert not folder.exists()
