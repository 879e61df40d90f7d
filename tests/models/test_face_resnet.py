"""dlib's face recognition network: its file's reader, and the start it gives."""

from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from core.errors import CheckpointError
from core.models import FaceResNet
from core.models.catalogue import MODELS
from core.models.face_resnet import DlibFaces, DlibLayer, face_recognition_file, read_dlib_faces
from core.types import Image

FACES = 20
SIDE = 150


@pytest.fixture(scope="module")
def published() -> DlibFaces:
    return read_dlib_faces(face_recognition_file())


@pytest.fixture(scope="module")
def pictures() -> Image:
    """Twenty views of a face, RGB uint8 (20, 150, 150, 3)."""
    photo = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    rng = np.random.default_rng(0)
    views = []
    for _ in range(FACES):
        top, left = rng.integers(0, 40), rng.integers(140, 200)
        views.append(np.ascontiguousarray(photo[top : top + SIDE, left : left + SIDE]))
    return np.stack(views)


def _layer(features: Tensor, layer: DlibLayer, stride: int = 1) -> Tensor:
    filters = torch.from_numpy(layer.filters.copy())
    padding = 0 if stride > 1 else filters.shape[2] // 2
    made = F.conv2d(features, filters, torch.from_numpy(layer.biases.copy()), stride, padding)
    gamma, beta = (torch.from_numpy(v.copy())[:, None, None] for v in (layer.gamma, layer.beta))
    return made * gamma + beta


def _sum(first: Tensor, second: Tensor) -> Tensor:
    """dlib adds tensors of different sizes as if the smaller ones had zeros behind them."""
    sizes = [max(a, b) for a, b in zip(first.shape[1:], second.shape[1:], strict=True)]

    def grown(values: Tensor) -> Tensor:
        more = [want - have for want, have in zip(sizes, values.shape[1:], strict=True)]
        return F.pad(values, (0, more[2], 0, more[1], 0, more[0]))

    return grown(first) + grown(second)


def published_descriptor(faces: DlibFaces, pictures: Image) -> Tensor:
    """The forward pass as dlib's examples print it, float32 (N, 128)."""
    inputs = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    mean = torch.tensor([122.782, 117.001, 104.298])[:, None, None]
    layers = iter(faces.layers)
    features = F.relu(_layer((inputs - mean) / 256, next(layers), 2))
    features = F.max_pool2d(features, 3, 2)
    for count, first in ((3, 1), (4, 2), (3, 2), (3, 2), (1, 2)):
        for number in range(count):
            stride = first if number == 0 else 1
            path = _layer(F.relu(_layer(features, next(layers), stride)), next(layers))
            short = F.avg_pool2d(features, 2) if stride == 2 else features
            features = F.relu(_sum(path, short))
    return features.mean(dim=(2, 3)) @ torch.from_numpy(faces.embedding.copy())


def test_the_weights_that_are_read_give_dlibs_own_descriptor(
    published: DlibFaces, pictures: Image
) -> None:
    ours = published_descriptor(published, pictures).numpy()
    recogniser = dlib.face_recognition_model_v1(str(face_recognition_file()))
    theirs = np.stack([np.asarray(recogniser.compute_face_descriptor(one)) for one in pictures])
    assert np.abs(theirs - theirs[0]).max() > 0.05  # the views differ
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "found 49 layers, expected 59"),
        (lambda data: data[:30] , "found 0 layers"),
        (lambda data: data[:352] + b"\xff\xff\xff\x7f" + data[356:], "no numbers"),
        (lambda data: data.replace(b"con_4\x01\x02", b"con_4\x01\x03", 1), "no tensor"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_a_sentence(
    damage: Callable[[bytes], bytes], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "faces.dat"
    path.write_bytes(damage(face_recognition_file().read_bytes()))
    with pytest.raises(CheckpointError, match=said) as caught:
        read_dlib_faces(path)
    assert "faces.dat is not dlib's face recognition network, or is damaged" in str(caught.value)


def test_the_model_of_another_purpose_is_refused() -> None:
    other = face_recognition_file().with_name("shape_predictor_5_face_landmarks.dat")
    with pytest.raises(CheckpointError, match="found 0 layers, expected 59"):
        read_dlib_faces(other)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"absent\.dat cannot be read"):
        read_dlib_faces(tmp_path / "absent.dat")


def test_the_start_computes_what_dlibs_layers_do_whatever_faces_set_its_statistics(
    published: DlibFaces, pictures: Image
) -> None:
    preprocess = MODELS["face_resnet"].preprocess
    inputs = torch.from_numpy(
        np.concatenate([preprocess(picture) for picture in pictures]).astype(np.float32)
    )
    network = FaceResNet(7)
    network.start_from_faces(published.layers, inputs[:4])
    network.eval()
    features = F.max_pool2d(
        F.relu(F.conv2d(inputs, *_folded(published.layers[0]), stride=2, padding=3)), 3, 2, 1
    )
    layers = iter(published.layers[1:])
    for count, first in ((3, 1), (4, 2), (3, 2), (3, 2)):
        for number in range(count):
            stride = first if number == 0 else 1
            one, other = _folded(next(layers)), _folded(next(layers))
            path = F.conv2d(
                F.relu(F.conv2d(features, *one, stride=stride, padding=1)), *other, padding=1
            )
            short = F.avg_pool2d(features, 2) if stride == 2 else features
            features = F.relu(_sum(path, short))
    with torch.no_grad():
        found = network.stages(network.stem(inputs))
    torch.testing.assert_close(found, features, atol=2e-4, rtol=1e-4)
    norm = network.get_submodule("stages.stage4.2.bn2")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    assert norm.running_var.min() > 0
    assert norm.running_mean.abs().max() > 0.01


def _folded(layer: DlibLayer) -> tuple[Tensor, Tensor]:
    gamma = torch.from_numpy(layer.gamma.copy())
    filters = torch.from_numpy(layer.filters.copy()) * gamma[:, None, None, None]
    return filters, torch.from_numpy(layer.biases.copy()) * gamma + torch.from_numpy(
        layer.beta.copy()
    )


@pytest.mark.parametrize(("strides", "cells"), [((1, 2, 2, 2), 3), ((1, 2, 2, 1), 6)])
def test_the_stride_of_the_last_stage_decides_the_cells_of_the_map(
    strides: tuple[int, ...], cells: int
) -> None:
    network = FaceResNet(7, strides=strides).eval()
    with torch.no_grad():
        features = network.stages(network.stem(torch.zeros(1, 3, 96, 96)))
    assert features.shape == (1, 256, cells, cells)
    assert network.layers == 28
