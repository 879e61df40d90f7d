"""Planted wrong labels come first, by answers that did not learn them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from grey_faces import Row, write_dataset

from core.data import Dataset, load_dataset
from core.errors import DataError
from core.evaluation import kept_label_errors, label_errors, pooled_features
from core.evaluation.calibration import scaled
from core.evaluation.confident_learning import (
    OWN,
    PROBE,
    confident_errors,
    cross_validated,
    fold_numbers,
    normalised_margin,
)
from core.evaluation.prepared import learnt_pictures
from core.labels import EMOTIONS
from core.models import Card, build, save_weights

SCORES = np.array(
    [
        [0.80, 0.15, 0.05],
        [0.10, 0.85, 0.05],  # labelled 0
        [0.45, 0.50, 0.05],  # labelled 0, below the mean of class 1
        [0.10, 0.70, 0.20],
        [0.20, 0.60, 0.20],
        [0.05, 0.05, 0.90],
        [0.30, 0.00, 0.70],  # labelled 2, below its mean
    ]
)
LABELS = np.array([0, 0, 0, 1, 1, 2, 2])


def checkpoint(folder: Path, **data: object) -> Path:
    """A network of random weights whose card says what it was trained on."""
    torch.manual_seed(0)
    options = {"depth": 2, "width": 4}
    folder.mkdir(parents=True)
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    Card(model="gimefive", labels=EMOTIONS, model_options=options, data=dict(data)).save(
        folder / "card.json"
    )
    return folder


def mislabelled(folder: Path, part: str = "train", source: str = "fer2013") -> Dataset:
    """Two kinds of striped pictures, 40 of each; ids 3 and 8 carry the other kind's label."""
    published = "test" if part == "test" else "train"
    rows = [
        Row(source, published, part, number % 2 if number not in (3, 8) else 1 - number % 2, 0)
        for number in range(80)
    ]
    write_dataset(folder, rows, "hash")
    pictures = np.random.default_rng(0).integers(0, 60, (80, 64, 64))
    pictures[::2, ::4] += 150
    pictures[1::2, :, ::4] += 150
    np.save(folder / "images.npy", pictures.astype(np.uint8))
    return load_dataset(folder)


def test_the_margin_is_the_labels_lead_over_the_best_other_class() -> None:
    margins = normalised_margin(SCORES, LABELS)

    # As cleanlab 2.9.0's `get_label_quality_scores(LABELS, SCORES, method="normalized_margin")`.
    expected = [0.825, 0.125, 0.475, 0.75, 0.70, 0.925, 0.70]
    np.testing.assert_allclose(margins, expected)


def test_errors_stand_off_the_diagonal_of_the_confident_joint() -> None:
    # Means of the labelled: 0.45, 0.65, 0.8. cleanlab 2.9.0 finds the same by
    # `compute_confident_joint(LABELS, SCORES, return_indices_of_off_diagonals=True)`.
    found = confident_errors(SCORES, LABELS)

    assert found.tolist() == [False, True, False, False, False, False, False]


def test_a_class_without_pictures_is_nobodys_better_label() -> None:
    scores = np.array([[0.2, 0.1, 0.7], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])

    assert not confident_errors(scores, np.array([0, 0, 1, 1])).any()


def test_copies_share_a_fold_and_folds_are_of_a_size() -> None:
    groups = np.array([7, 7, 3, 9, 9, 9, 1, 2, 4, 5])

    folds = fold_numbers(groups, 2)

    assert all(len(set(folds[groups == name])) == 1 for name in groups)
    assert np.bincount([folds[groups == name][0] for name in np.unique(groups)]).tolist() == [4, 3]


def test_a_probe_does_not_learn_the_label_it_judges() -> None:
    dice = np.random.default_rng(0)
    labels = np.arange(200) % 2
    # 20 features tell the kind, 300 more tell single pictures: enough to learn labels by heart.
    features = dice.normal(0, 1, (200, 320)).astype(np.float32)
    features[:, :20] += 2 * labels[:, None]
    wrong = np.array([10, 55, 120])
    labels[wrong] = 1 - labels[wrong]

    scores = cross_validated(features, labels, np.arange(200), 2)

    np.testing.assert_allclose(scores.sum(axis=1), 1)
    assert set(np.argsort(normalised_margin(scores, labels))[:3]) == set(wrong)
    assert (scores.argmax(axis=1)[wrong] != labels[wrong]).all()


def test_wrong_labels_of_a_training_part_come_first(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data")
    folder = checkpoint(tmp_path / "run", split="clean", sources=["fer2013"])
    steps: list[tuple[int, int]] = []

    found = label_errors(folder, dataset, on_progress=lambda *step: steps.append(step))

    assert found.facts["answers"] == PROBE
    assert set(found.table["id"][:2]) == {3, 8}
    assert found.table["suspect"].tolist()[:2] == [True, True]
    assert found.table["margin"].is_monotonic_increasing
    assert found.table["label"][:2].tolist() != found.table["answer"][:2].tolist()
    assert steps[-1] == (80, 80)


@pytest.mark.parametrize(
    ("part", "data"),
    [
        ("test", {"split": "clean", "sources": ["fer2013"]}),
        ("train", {"split": "clean", "sources": ["raf_db"]}),
    ],
    ids=["held out", "of another source"],
)
def test_a_network_judges_what_it_was_not_trained_on_itself(
    tmp_path: Path, part: str, data: dict[str, object]
) -> None:
    dataset = mislabelled(tmp_path / "data", part)
    folder = checkpoint(tmp_path / "run", **data)

    found = label_errors(folder, dataset, part)

    _, logits = pooled_features(folder, np.asarray(dataset.images))
    expected = scaled(logits, 1.0)[found.table["id"]]
    assert found.facts["answers"] == OWN
    np.testing.assert_allclose(found.table["confidence"], expected.max(axis=1), atol=1e-5)
    assert found.table["answer"].tolist() == [EMOTIONS[n] for n in expected.argmax(axis=1)]


def test_a_network_of_unknown_training_is_not_asked_for_labels_it_may_know(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data", "train")
    folder = checkpoint(tmp_path / "run", imported="best.pt")

    assert label_errors(folder, dataset, "train").facts["answers"] == PROBE


@pytest.mark.parametrize(
    ("data", "learnt"),
    [
        ({"split": "clean", "sources": ["raf_db"]}, [True, False, False, True, False]),
        ({"split": "published", "sources": ["raf_db"]}, [True, True, False, True, False]),
        (
            {
                "split": "clean",
                "sources": ["raf_db"],
                "initial": {"split": "published", "sources": ["ck_plus"]},
            },
            [True, True, False, True, True],
        ),
        ({"initial": {"split": None, "sources": []}}, [True, True, False, True, True]),
        ({}, [True, False, False, True, True]),
    ],
    ids=["own split", "published", "began elsewhere", "began with two kinds", "a silent card"],
)
def test_what_a_network_may_have_learnt_follows_from_its_card(
    tmp_path: Path, data: dict[str, object], learnt: list[bool]
) -> None:
    rows = [
        Row("raf_db", "train", "train", 0, 0),
        Row("raf_db", "train", "valid", 0, 0),
        Row("raf_db", "test", "test", 0, 0),
        Row("raf_db", "train", "drop", 0, 0),
        Row("ck_plus", "train", "train", 0, 0),
    ]
    dataset = load_dataset(write_dataset(tmp_path / "data", rows, "hash"))

    found = learnt_pictures(Card(model="gimefive", labels=EMOTIONS, data=data), dataset)

    assert found.tolist() == learnt


def test_a_sample_is_drawn_alike_every_time_and_said(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data")
    folder = checkpoint(tmp_path / "run", sources=["fer2013"])

    first, second = (label_errors(folder, dataset, most=60) for _ in range(2))

    assert first.facts["drawn"] == 60
    assert first.table["id"].tolist() == second.table["id"].tolist()
    assert first.table["id"].nunique() == 60


def test_pictures_with_labels_the_network_lacks_are_left_out_and_counted(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data")
    dataset.manifest.loc[5, "label"] = "neutral"
    folder = checkpoint(tmp_path / "run", sources=["fer2013"])

    found = label_errors(folder, dataset)

    assert found.facts["left_out"] == 1
    assert 5 not in set(found.table["id"])


@pytest.mark.parametrize(
    ("kept", "labels", "says"),
    [(30, None, "has 30 pictures"), (80, "fear", "one class only")],
)
def test_too_little_to_judge_by_is_refused(
    tmp_path: Path, kept: int, labels: str | None, says: str
) -> None:
    dataset = mislabelled(tmp_path / "data")
    if labels is not None:
        dataset.manifest["label"] = labels
    dataset.manifest.loc[kept:, "label"] = ""
    folder = checkpoint(tmp_path / "run", sources=["fer2013"])

    with pytest.raises(DataError, match=says):
        label_errors(folder, dataset)


def test_a_ranking_is_kept_until_data_or_weights_change(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data")
    folder = checkpoint(tmp_path / "run", sources=["fer2013"])
    found = label_errors(folder, dataset)

    found.save(dataset.folder)
    kept = kept_label_errors(dataset, folder, "train")

    assert kept is not None
    assert kept.facts == found.facts
    assert kept.table.equals(found.table)
    assert kept_label_errors(dataset, folder, "test") is None
    dataset.info["data_hash"] = "another"
    assert kept_label_errors(dataset, folder, "train") is None
    dataset.info["data_hash"] = "hash"
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert kept_label_errors(dataset, folder, "train") is None


def test_a_ranking_of_the_same_pictures_in_another_order_does_not_count(tmp_path: Path) -> None:
    dataset = mislabelled(tmp_path / "data")
    folder = checkpoint(tmp_path / "run", sources=["fer2013"])
    label_errors(folder, dataset).save(dataset.folder)
    assert kept_label_errors(dataset, folder, "train") is not None
    table = dataset.folder / "manifest.csv"
    head, *rows = table.read_text().splitlines(keepends=True)
    table.write_text(head + "".join(reversed(rows)))

    assert kept_label_errors(load_dataset(dataset.folder), folder, "train") is None
