"""A classifier made elsewhere answers here as it does there, or is refused in one sentence."""

import errno
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import PIL.Image
import pytest
import torch
from photos import sample_photo
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import VisionTransformer, get_model

from core.checkpoints import WEIGHTS
from core.cli import main
from core.errors import CheckpointError, ConfigError, CoreError
from core.inference import OnnxEngine, export_onnx
from core.models import MODELS, Card, Description, build, import_weights, read_description
from core.predict import Predictor, softmax
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess

ALPHABETIC = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
OURS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear", "neutral")
PLACES = [3, 6, 5, 0, 1, 2, 4]  # of OURS in ALPHABETIC
NAME = "squeezenet1_1"  # the smallest
SIDE = 64


def theirs(name: str = NAME, classes: int = 7) -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = get_model(name, weights=None, num_classes=classes)
    return network.eval()


def about(**more: Any) -> Description:  # noqa: ANN401
    facts: dict[str, Any] = {"model": f"torchvision:{NAME}", "classes": ALPHABETIC, "size": SIDE}
    return Description(**(facts | more))


def saved(folder: Path, content: object, name: str = "best.pt") -> Path:
    torch.save(content, folder / name)
    return folder / name


def their_input(face: np.ndarray) -> Tensor:
    """A square of the right size as torchvision's transforms make it a network's input."""
    planes = torch.from_numpy(face).permute(2, 0, 1)[None].float() / 255
    mean, std = (torch.tensor(one)[None, :, None, None] for one in (IMAGENET_MEAN, IMAGENET_STD))
    return (planes - mean) / std


def test_answers_are_those_of_the_original_in_the_order_of_our_classes(tmp_path: Path) -> None:
    network = theirs()
    card = import_weights(saved(tmp_path, network.state_dict()), about(), tmp_path / "own")
    face = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)

    predictor = Predictor(tmp_path / "own")
    pixels = predictor.card.preprocess.pixels(face)[None]
    found = Predictor(predictor.folder, "torch").logits(pixels)[0]
    quick = predictor.predictions([face])[0]

    with torch.no_grad():
        expected = network(their_input(face))[0].double().numpy()[PLACES]
    assert card.labels == OURS
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(quick.probabilities, softmax(expected), atol=1e-5)
    assert np.ptp(expected) > 0.01


def test_wrappers_optimisers_and_a_wrapped_last_layer_are_seen_through(tmp_path: Path) -> None:
    network = get_model("shufflenet_v2_x0_5", weights=None, num_classes=7)
    plain = network.state_dict()
    wrapped = {
        f"module.{key.replace('fc.', 'fc.1.')}": value
        for key, value in plain.items()
        if "num_batches" not in key  # as old versions of torch saved them
    }
    path = saved(tmp_path, {"epoch": 3, "state_dict": wrapped, "optimizer": {"lr": 0.1}})

    card = import_weights(path, about(model="shufflenet_v2_x0_5"), tmp_path / "own")

    assert card.model == "torchvision:shufflenet_v2_x0_5"  # the tensors tell whose it is
    state = Predictor(tmp_path / "own").model.state_dict()
    torch.testing.assert_close(state["fc.weight"], plain["fc.weight"][PLACES])
    torch.testing.assert_close(state["conv1.0.weight"], plain["conv1.0.weight"])


def test_an_output_may_be_left_out(tmp_path: Path) -> None:
    network = theirs(classes=8)
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    classes = (*ALPHABETIC[:2], "contempt=skip", *ALPHABETIC[2:])

    card = import_weights(tmp_path / "w.safetensors", about(classes=classes), tmp_path / "own")

    assert card.labels == OURS
    state = Predictor(tmp_path / "own").model.state_dict()
    rows = [row + (row > 1) for row in PLACES]
    key = "classifier.1.bias"
    torch.testing.assert_close(state[key], network.state_dict()[key][rows])


def test_a_grey_first_layer_is_kept(tmp_path: Path) -> None:
    network = build(f"torchvision:{NAME}", 7, channels=1)
    path = saved(tmp_path, network.state_dict())

    card = import_weights(path, about(mean=(0.5,), std=(0.25,)), tmp_path / "own")

    assert card.preprocess == Preprocess(SIDE, SIDE, (0.5,), (0.25,))
    assert Predictor(tmp_path / "own").predictions([sample_photo()[:90, :90]])
    with pytest.raises(ConfigError, match="cannot see colour"):
        import_weights(path, about(grey=False), tmp_path / "other")


def test_a_network_that_asks_for_the_version_of_its_state_is_taken(tmp_path: Path) -> None:
    network = theirs("mnasnet0_5")
    path = tmp_path / "w.safetensors"
    save_file(network.state_dict(), path)

    import_weights(path, about(model="torchvision:mnasnet0_5"), tmp_path / "own")

    model = Predictor(tmp_path / "own").model
    faces = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(model(faces), network(faces)[:, PLACES])


def test_our_own_networks_are_taken_as_well(tmp_path: Path) -> None:
    path = saved(tmp_path, build("resnet14", 6).state_dict())

    six = tuple(name for name in ALPHABETIC if name != "neutral")
    card = import_weights(path, Description("resnet14", six), tmp_path / "own")

    assert card.preprocess == MODELS["resnet14"].preprocess
    assert card.labels == OURS[:6]


def test_an_import_that_is_cut_short_does_not_keep_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, build("mini_xception", 6).state_dict())
    said = Description("mini_xception", OURS[:6])

    def full(card: Card, to: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to))

    with monkeypatch.context() as broken:
        broken.setattr(Card, "save", full)
        with pytest.raises(OSError, match="No space"):
            import_weights(path, said, tmp_path / "runs" / "own")
    assert list((tmp_path / "runs").iterdir()) == []

    import_weights(path, said, tmp_path / "runs" / "own")
    assert {one.name for one in (tmp_path / "runs" / "own").iterdir()} == {"card.json", WEIGHTS}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"classes": ALPHABETIC[:6]}, "they have 7 outputs, and 6 classes are named"),
        ({"classes": ("bored", *ALPHABETIC[1:])}, "'bored' is no expression known here: happiness"),
        ({"classes": ("happy", "joy")}, "Two outputs are called happiness"),
        ({"classes": ("happy", "sad=skip")}, "at least two classes"),
        ({"model": "torchvision:resnet18"}, "best.pt do not fit torchvision:resnet18: .* missing"),
        ({"model": "torchvision:sqeezenet1_1"}, "no classifier 'sqeezenet1_1'.*squeezenet1_1"),
        ({"model": "nothing"}, "no model 'nothing'.*gimefive.*torchvision:resnet18"),
        ({"mean": (124.0, 116.0, 104.0)}, "values from 0 to 1"),
        ({"size": 9}, "does not take faces of 9 x 9 pixels"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, said: dict[str, Any], sentence: str) -> None:
    path = saved(tmp_path, theirs().state_dict())

    with pytest.raises(CoreError, match=sentence) as refused:
        import_weights(path, about(**said), tmp_path / "own")

    assert str(tmp_path) not in str(refused.value)
    assert not (tmp_path / "own").exists()


class _Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('code was run')",))


@pytest.mark.parametrize("kind", ["network", "trap", "text", "numbers", "nan"])
def test_files_without_plain_tensors_are_refused_and_no_code_is_run(
    tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "best.pt"
    if kind == "network":
        torch.save(nn.Linear(2, 2), path)
    elif kind == "trap":
        path.write_bytes(pickle.dumps(_Trap()))
    elif kind == "text":
        path.write_text("these are no weights")
    else:
        torch.save({"a": torch.tensor([float("nan")]) if kind == "nan" else 3}, path)

    with pytest.raises(CheckpointError, match=r"best.pt holds (no|values)"):
        import_weights(path, about(), tmp_path / "own")


def test_timm_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.models.catalogue.find_spec", lambda name: None)

    with pytest.raises(ConfigError, match="pip install timm"):
        MODELS["timm:resnet18"]
    assert "timm:resnet18" not in MODELS


def test_a_description_may_be_a_file_of_json() -> None:
    found = read_description(
        {
            "model": "resnet18",
            "classes": {"happy": 1, "angry": 0},
            "mean": [0.1, 0.2, 0.3],
            "std": 1,
        }
    )

    assert found == Description("resnet18", ("angry", "happy"), None, (0.1, 0.2, 0.3), (1.0,))
    with pytest.raises(ConfigError, match="unknown colours; expected model, classes"):
        read_description({"model": "a", "classes": ["b"], "colours": 3})
    with pytest.raises(ConfigError, match="cannot be read"):
        read_description({"model": "a", "classes": ["b"], "size": "large"})


def test_the_command_makes_a_checkpoint_that_scores_and_explains(
    own_runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["core", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    path = saved(tmp_path, theirs().state_dict())
    photo = tmp_path / "face.png"
    PIL.Image.fromarray(sample_photo()).save(photo)
    words = ["import", path, "--model", NAME, "--classes", ",".join(ALPHABETIC), "--size", SIDE]

    assert run("classify", photo, "--checkpoint", path, "--out", tmp_path / "s.csv") == 1
    assert "python -m core import best.pt" in capsys.readouterr().err
    assert run(*words) == 0
    assert "64 x 64 pixels in colour" in capsys.readouterr().out
    assert run(*words) == 1  # it exists
    assert run("classify", photo, "--checkpoint", "best", "--out", tmp_path / "s.csv") == 0
    assert (
        run("explain", photo, "--checkpoint", "best", "--method", "grad_cam", "--out", tmp_path)
        == 0
    )

    told = json.loads((tmp_path / "explanation.json").read_text())
    assert set(told["faces"][0]["probabilities"]) == set(OURS)
    assert told["layer"] == "classifier.2"
    assert (tmp_path / "s.csv").read_text().startswith("filepath,happiness,surprise")
    capsys.readouterr()
    assert run("export", "best", "--onnx", tmp_path / "best.onnx") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["maps"] is None
    assert "No method gives maps of this network in the same pass." in err


def test_a_transformer_is_exported(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
        num_classes=6,
    ).eval()  # fmt: skip
    nn.init.normal_(network.heads[-1].weight)
    spec = Preprocess(32, 32, colour=True)

    export_onnx(network, spec, tmp_path / "net.onnx")

    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = network(torch.from_numpy(spec.normalise(pixels))).numpy()
    found = OnnxEngine(tmp_path / "net.onnx").run(pixels)[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(("cells", "wanted"), [(1, 7), (3, 7), (5, 2), (6, 4)])
def test_pooling_to_a_size_that_does_not_divide_is_exported(
    tmp_path: Path, cells: int, wanted: int
) -> None:
    network = nn.Sequential(nn.AdaptiveAvgPool2d(wanted), nn.Flatten()).eval()
    spec = Preprocess(8, 8, (0.0,), (1.0,))
    stem = nn.Conv2d(1, 2, 8 - cells + 1)

    export_onnx(nn.Sequential(stem, network).eval(), spec, tmp_path / "net.onnx")

    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8), dtype=np.uint8)
    with torch.no_grad():
        expected = network(stem(torch.from_numpy(spec.normalise(pixels)))).numpy()
    np.testing.assert_allclose(
        OnnxEngine(tmp_path / "net.onnx").run(pixels)[0], expected, atol=1e-5
    )
    onnx.checker.check_model(onnx.load(tmp_path / "net.onnx"))
