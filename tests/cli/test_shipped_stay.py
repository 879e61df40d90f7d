"""Whatever a user measures of a checkpoint that the app comes with, its folder stays as it is."""

import json
from pathlib import Path

import PIL.Image
import pytest
from command_line import exit_code
from made_faithfulness import made_entry, made_report
from noise_run import OPTIONS, save_data, save_run
from photos import sample_photo

from core.checkpoints import evaluations_of, kept_folder
from core.explain import recommended_method, stored_faithfulness
from core.files import file_hash
from core.global_view import stored_global_view
from core.inference import Quantisation

NAME = "gimefive-rafdb"


@pytest.fixture
def shipped(tmp_path: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small network in the place of a shipped one, and its data."""
    (tmp_path / "shipped").mkdir()
    folder = save_run(tmp_path / "shipped" / NAME, **OPTIONS)
    monkeypatch.setattr("core.checkpoints.SHIPPED", folder.parent)
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("core.evaluation.collecting.FEWEST_TO_CALIBRATE", 4)
    save_data(tmp_path / "data", folder, ["valid"] * 4 + ["test"] * 6)
    return folder


def content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_hash(path) for path in folder.rglob("*.*")}


@pytest.mark.slow
def test_no_command_writes_into_a_shipped_folder_and_all_read_the_users_own(
    shipped: Path, own_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "face.png"
    PIL.Image.fromarray(sample_photo()).save(photo)
    before = content(shipped.parent)

    for words in (
        ("evaluate", NAME, "--split", "test"),
        ("global-view", NAME, "--faces", 2),
        ("faithfulness", NAME, "--faces", 2),
        ("quantise", NAME),
        ("export", NAME, "--onnx", tmp_path / "net.onnx"),
        ("classify", photo, "--checkpoint", NAME, "--out", tmp_path / "scores.csv"),
        ("explain", photo, "--checkpoint", NAME, "--out", tmp_path / "maps"),
    ):
        assert exit_code(*words, monkeypatch=monkeypatch) == 0, words

    assert content(shipped.parent) == before
    place = own_runs / "evaluations" / NAME
    assert sorted(path.name for path in (place / "noise").iterdir() if path.suffix == ".json") == [
        "faithfulness.json", "global_view_test.json", "report.json",
    ]  # fmt: skip
    report = stored_faithfulness(shipped)
    assert report is not None
    assert report["checkpoint"] == NAME
    assert stored_global_view(shipped, "test") is not None
    assert Quantisation.load(shipped) is not None


def test_the_latest_on_its_own_data_goes_before_the_shipped_file(
    shipped: Path, own_runs: Path
) -> None:
    from core.files import fingerprint

    def kept(place: Path, data: str, method: str, **more: bool) -> None:
        place.mkdir(parents=True, exist_ok=True)
        methods = {method: made_entry(0.3, layer=method)}
        found = made_report(data_hash=data, methods=methods, **more)
        found["weights_fingerprint"] = fingerprint(shipped / "weights.safetensors")
        (place / "faithfulness.json").write_text(json.dumps(found))

    place = kept_folder(shipped)
    kept(shipped, "abc", "shipped")
    kept(place / "other", "xyz", "other")
    assert list((stored_faithfulness(shipped) or {})["methods"]) == ["shipped"]

    kept(place / "again", "new-hash", "own", own_data=True)

    assert list((stored_faithfulness(shipped) or {})["methods"]) == ["own"]
    assert set(evaluations_of(shipped, "faithfulness.json")) == {"other", "again"}
    chosen = stored_faithfulness(shipped, place / "other")
    assert list((chosen or {})["methods"]) == ["other"]
    assert recommended_method(shipped) == "smooth_layer_cam"


def test_eight_bits_of_other_weights_are_not_used(shipped: Path) -> None:
    Quantisation([(0.0, 1.0)], 10, 0.5, 0.5, 1.0).save(shipped)
    assert Quantisation.load(shipped) is not None
    assert not (shipped / "quantisation.json").exists()

    (shipped / "weights.safetensors").write_bytes(b"renewed")

    assert Quantisation.load(shipped) is None
