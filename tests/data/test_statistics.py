import numpy as np
import pandas as pd
import pytest

from core.data import class_means, histograms
from core.data.statistics import picture_statistics


def test_a_constant_picture_is_as_bright_as_its_value_and_has_no_edges() -> None:
    images = np.full((1, 64, 64), 100, np.uint8)

    row = picture_statistics(images).iloc[0]

    assert (row["brightness"], row["contrast"], row["sharpness"]) == (100, 0, 0)


def test_stripes_have_known_contrast_and_sharpness() -> None:
    images = np.zeros((1, 64, 64), np.uint8)
    images[:, :, ::2] = 20  # columns 20, 0, 20, 0: the Laplacian is -40 and 40

    row = picture_statistics(images).iloc[0]

    assert row["brightness"] == 10
    assert row["contrast"] == 10
    assert row["sharpness"] == pytest.approx(np.log2(1 + 40**2), abs=0.001)


def test_histograms_count_every_picture_in_its_group() -> None:
    table = pd.DataFrame({"brightness": [0.0, 7.9, 8.0, 255.0]}).assign(
        contrast=0.0, sharpness=99.0
    )
    groups = pd.Series(["a", "a", "a", "b"])

    found = histograms(table, groups)

    a, b = (found["brightness"]["groups"][name] for name in "ab")
    assert a["counts"][:2] == [2, 1]
    assert sum(a["counts"]) == 3
    assert b["counts"][-1] == 1
    assert a["mean"] == pytest.approx(5.3)
    assert found["sharpness"]["groups"]["a"]["counts"][-1] == 3


def test_mean_faces_are_means(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.array([10, 20, 60, 200], np.uint8)
    images = np.repeat(values, 64 * 64).reshape(4, 64, 64)
    manifest = pd.DataFrame(
        {"source": ["a", "a", "b", "b"], "label": ["fear", "fear", "fear", "anger"]}
    )
    monkeypatch.setattr("core.data.statistics.BLOCK", 3)

    means = class_means(images, manifest)

    found = {name: (int(mean[5, 7]), count) for name, (mean, count) in means.items()}
    assert found == {
        "a/fear": (15, 2),
        "b/fear": (60, 1),
        "b/anger": (200, 1),
        "all/fear": (30, 3),
        "all/anger": (200, 1),
    }
    assert means["a/fear"][0].dtype == np.uint8
