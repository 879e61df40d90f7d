import pandas as pd
import pytest

from core.data import origins
from core.data.auditing import shortcut

LABELS = ("happiness", "sadness")


def manifest(cells: dict[tuple[str, str, str], int], split: str = "train") -> pd.DataFrame:
    """{(source, file name, label): number of pictures}."""
    rows = [
        {"source": source, "path": f"x.zip!{label}/{name}", "label": label, "split": split}
        for (source, name, label), count in cells.items()
        for _ in range(count)
    ]
    return pd.DataFrame(rows)


def test_portraits_in_affectnet_are_an_origin_of_their_own() -> None:
    table = manifest(
        {
            ("affectnet", "ffhq_1.jpg", "happiness"): 1,
            ("affectnet", "image0000001.jpg", "happiness"): 1,
            ("raf_db", "train_1.jpg", "sadness"): 1,
        }
    )

    assert origins(table).tolist() == ["affectnet/ffhq", "affectnet/web", "raf_db"]


def test_a_source_that_tells_everything() -> None:
    table = manifest({("raf_db", "1", "happiness"): 30, ("fer2013", "1", "sadness"): 10})

    found = shortcut(table, LABELS)

    assert found["by_source"]["cramers_v"] == 1
    assert found["by_source"]["accuracy"] == 1
    assert found["baseline"] == 0.75
    assert found["by_source"]["p_class"]["fer2013"] == {"happiness": 0, "sadness": 1}


def test_a_source_that_tells_nothing() -> None:
    cells = {(source, "1", label): 10 for source in ("raf_db", "fer2013") for label in LABELS}

    found = shortcut(manifest(cells), LABELS)

    assert found["by_source"]["cramers_v"] == 0
    assert found["by_source"]["accuracy"] == found["baseline"] == 0.5


def test_cramers_v_by_hand() -> None:
    # chi2 = 100 * (40 * 30 - 10 * 20)^2 / (50 * 50 * 60 * 40) = 16.667; V = sqrt(chi2 / 100)
    table = manifest(
        {
            ("raf_db", "1", "happiness"): 40,
            ("raf_db", "1", "sadness"): 10,
            ("fer2013", "1", "happiness"): 20,
            ("fer2013", "1", "sadness"): 30,
        }
    )

    assert shortcut(table, LABELS)["by_source"]["cramers_v"] == pytest.approx(0.4082, abs=1e-4)


def test_only_training_pictures_count() -> None:
    table = manifest({("raf_db", "1", "happiness"): 3}, split="test")

    assert shortcut(table, LABELS)["n"] == 0


def test_an_origin_that_gives_a_class_away_is_named() -> None:
    table = manifest(
        {
            ("affectnet", "ffhq_1.jpg", "happiness"): 178,
            ("affectnet", "ffhq_1.jpg", "sadness"): 22,
            ("affectnet", "image1.jpg", "sadness"): 50,
        }
    )

    sentences = shortcut(table, LABELS)["sentences"]

    assert len(sentences) == 1
    assert sentences[0].startswith("89% of the 200 pictures from affectnet/ffhq are happiness")
