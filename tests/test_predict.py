"""From a picture to an answer: softmax, temperature, thresholds, mirror images, threads."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from noise_run import save_run
from photos import sample_photo

from core.checkpoints import find_checkpoint, list_checkpoints
from core.errors import CheckpointError, ConfigError
from core.inference import calibrate
from core.predict import Engine, Predictor, softmax

LABELS = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")


@pytest.fixture
def run(own_runs: Path) -> Path:
    return save_run(own_runs / "untrained", depth=3, width=8)


def faces(n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 64, 64), dtype=np.uint8)


def test_softmax_is_equation_1() -> None:
    # e^0 = 1, e^ln(3) = 3: one quarter and three quarters, also far from zero
    np.testing.assert_allclose(softmax(np.array([0.0, np.log(3)])), [0.25, 0.75])
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000.0 + np.log(3)])), [0.25, 0.75])


def test_temperature_softens_and_threshold_marks_unclear_answers(run: Path) -> None:
    predictor = Predictor(run)
    predictor.card = replace(predictor.card, temperature=2.0, threshold=0.5)

    prediction = predictor.prediction(np.array([np.log(9), 0, 0, 0, 0, 0.0]))

    # ln(9) / 2 = ln(3): 3 / (3 + 5)
    assert prediction.confidence == pytest.approx(3 / 8)
    assert (prediction.predicted, prediction.unclear) == ("happiness", True)


def test_all_engines_agree(run: Path) -> None:
    exact = Predictor(run, "exact").logits(faces())

    np.testing.assert_allclose(exact, Predictor(run, "torch").logits(faces()), atol=1e-5)
    np.testing.assert_allclose(exact, Predictor(run).logits(faces()), atol=1e-5)


def test_an_unknown_engine_is_refused(run: Path) -> None:
    with pytest.raises(ConfigError, match="abacus"):
        Predictor(run, "abacus")  # type: ignore[arg-type]


def test_mirror_averaging_gives_mirror_images_the_same_answer(run: Path) -> None:
    predictor = Predictor(run)
    plain = predictor.logits(faces())
    predictor.card = replace(predictor.card, flip_average=True)

    averaged = predictor.logits(faces())

    mirrored = predictor.logits(np.ascontiguousarray(faces()[:, :, ::-1]))
    np.testing.assert_allclose(averaged, mirrored, atol=1e-6)
    assert np.abs(averaged - plain).max() > 1e-4


@pytest.mark.parametrize("engine", ["exact", "torch"])
def test_every_way_to_an_answer_averages_with_the_mirror_image(run: Path, engine: Engine) -> None:
    predictor = Predictor(run, engine)
    network = Predictor(run, "torch")
    mirror_image = np.ascontiguousarray(faces()[:, :, ::-1])
    expected = (network.logits(faces()) + network.logits(mirror_image)) / 2
    plain, maps = predictor.fast(faces(), "grad_cam")
    predictor.card = replace(predictor.card, flip_average=True)

    many = predictor.logits(faces())
    quick, quick_maps = predictor.fast(faces(), "grad_cam")

    np.testing.assert_allclose(many, expected, atol=1e-5)
    np.testing.assert_allclose(quick, many, atol=1e-5)
    assert np.abs(many - plain).max() > 1e-4
    assert maps is not None
    assert quick_maps is not None
    for one, other in zip(quick_maps, maps, strict=True):
        np.testing.assert_array_equal(one.maps, other.maps)  # of the picture as it is


def test_a_photo_is_answered_and_explained(run: Path) -> None:
    result = Predictor.load("untrained").analyse(sample_photo())

    (face,) = result.faces
    assert face.prediction.probabilities.sum() == pytest.approx(1.0)
    assert face.face.landmarks is not None
    assert face.explanation is not None
    assert face.explanation.maps.shape == (6, 16, 16)
    assert face.explanation.labels == LABELS


def test_the_whole_picture_gives_what_scoring_a_crop_gives(run: Path) -> None:
    predictor = Predictor(run)
    crop = sample_photo()[:200, 150:330]

    (face,) = predictor.analyse(crop, whole=True, method=None).faces

    np.testing.assert_allclose(
        face.prediction.logits, predictor.predictions([crop])[0].logits, atol=1e-5
    )


def test_a_face_gets_the_same_answer_alone_and_among_many_in_eight_bits(run: Path) -> None:
    calibrate(run, faces(64), np.zeros(64, np.int64))
    predictor = Predictor(run, "int8")
    photo = sample_photo()

    (face,) = predictor.analyse(photo, method=None).faces
    among = predictor.predictions([*faces(40), face.face.crop])[-1]

    np.testing.assert_allclose(face.prediction.probabilities, among.probabilities, atol=1e-6)
    pixels = predictor.card.preprocess.pixels(face.face.crop)[None]
    exact = Predictor(run, "torch").logits(pixels)[0]
    assert not np.array_equal(face.prediction.logits, exact)


def test_a_frame_gets_the_answer_that_a_folder_gets_in_eight_bits(run: Path) -> None:
    calibrate(run, faces(64), np.zeros(64, np.int64))
    predictor = Predictor(run)

    for method in (None, "grad_cam"):
        logits, maps = predictor.fast(faces(), method)
        np.testing.assert_allclose(logits, predictor.logits(faces()), atol=1e-5)
        assert (maps is None) == (method is None)


def test_a_checkpoint_whose_files_were_written_answers_without_torch(run: Path) -> None:
    calibrate(run, faces(64), np.zeros(64, np.int64))
    predictor = Predictor(run)
    expected, maps = predictor.fast(faces(), "grad_cam")
    code = (
        "import sys, numpy as np; from core.predict import Predictor\n"
        "faces = np.random.default_rng(0).integers(0, 256, (4, 64, 64), dtype=np.uint8)\n"
        f"predictor = Predictor.load({str(run)!r})\n"
        "logits, maps = predictor.fast(faces, 'grad_cam')\n"
        "print(np.abs(predictor.logits(faces) - logits).max() < 1e-5)\n"
        "print(maps[0].layer, repr(float(logits.sum())), repr(float(maps[3].maps.sum())))\n"
        "print([name for name in ('torch', 'onnx', 'sympy') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    same, values, loaded = done.stdout.splitlines()
    assert (same, loaded) == ("True", "[]")
    layer, logits, map_sum = values.split()
    assert maps is not None
    assert layer == maps[0].layer == "blocks.block3.conv"
    assert float(logits) == pytest.approx(expected.sum(), abs=1e-5)
    assert float(map_sum) == pytest.approx(maps[3].maps.sum(), rel=1e-4)


def test_a_method_with_a_backward_pass_gives_the_answer_alone(run: Path) -> None:
    logits, maps = Predictor(run).fast(faces(), "hires_cam")

    assert maps is None
    np.testing.assert_allclose(logits, Predictor(run).logits(faces()), atol=1e-5)


@pytest.mark.parametrize("broken", ["weights.safetensors", "card.json"])
def test_a_checkpoint_that_lost_a_file_is_refused_at_once(run: Path, broken: str) -> None:
    Predictor(run).logits(faces())  # whose file is there from now on
    (run / broken).unlink()

    with pytest.raises(CheckpointError, match=f"has no {broken}"):
        Predictor(run)


def test_no_face_is_a_result(run: Path) -> None:
    result = Predictor(run).analyse(np.full((400, 400, 3), 128, np.uint8))

    assert result.faces == ()


def test_four_threads_get_what_one_gets(run: Path) -> None:
    predictor = Predictor(run)
    pictures = [np.ascontiguousarray(sample_photo()[: 300 + 10 * i]) for i in range(4)]
    alone = [predictor.analyse(picture) for picture in pictures]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predictor.analyse, pictures))

    for one, other in zip(alone, together, strict=True):
        for first, second in zip(one.faces, other.faces, strict=True):
            np.testing.assert_allclose(first.prediction.logits, second.prediction.logits)
            assert first.explanation is not None
            assert second.explanation is not None
            np.testing.assert_allclose(first.explanation.maps, second.explanation.maps, atol=1e-7)


def test_checkpoints_are_found_by_name_and_folder(run: Path, own_runs: Path) -> None:
    assert find_checkpoint("untrained") == run
    assert find_checkpoint(run) == run
    assert run in list_checkpoints()
    with pytest.raises(CheckpointError, match=r"no checkpoint 'nowhere'.*untrained"):
        find_checkpoint("nowhere")
