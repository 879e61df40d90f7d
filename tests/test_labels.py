"""Labels in names, in every form the data sets use."""

import pytest

from core.labels import EMOTIONS, label_in_name


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("test_0524_aligned_happiness.jpg", "happiness"),
        ("train/happy/im1.png", "happiness"),
        ("Angry/x/1.jpg", "anger"),
        ("sad/0001_fear.jpg", "fear"),
        ("surprise/sad/1.jpg", "sadness"),
        ("holiday/0001.jpg", None),
        ("neutral/0001.jpg", None),
        ("test/1/test_0002.jpg", None),
        ("surprise.jpg", "surprise"),
    ],
)
def test_the_label_in_a_name(path: str, label: str | None) -> None:
    assert label_in_name(path, EMOTIONS) == label


def test_only_the_classes_of_the_model_count() -> None:
    assert label_in_name("neutral/1.jpg", (*EMOTIONS, "neutral")) == "neutral"
    assert label_in_name("fear/1.jpg", ("happiness", "anger")) is None
