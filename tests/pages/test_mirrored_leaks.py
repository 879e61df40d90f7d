"""The explorer tells mirrored leaks from others, and audits of earlier versions still show."""

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from core.data import prepare

PAGE = "../pages/dataset_explorer.py"


@pytest.fixture
def turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Random patterns; one of test is one of train mirrored, another one as it is."""
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    dice = np.random.default_rng(7)
    files = tmp_path / "files"
    for split in ("train", "test"):
        (files / split / "fear").mkdir(parents=True)
    for number in range(4):
        square = np.kron(dice.integers(0, 256, (8, 8)), np.ones((8, 8))).astype(np.uint8)
        picture = PIL.Image.fromarray(square)
        picture.save(files / "train" / "fear" / f"{number}.png")
        if number == 0:
            picture.save(files / "test" / "fear" / "equal.png")
        if number == 1:
            mirrored = PIL.Image.fromarray(np.ascontiguousarray(square[:, ::-1]))
            mirrored.save(files / "test" / "fear" / "mirrored.png")
    out = tmp_path / "data" / "turned"
    prepare([f"folder={files}"], out, workers=1)
    return out


def opened(app: AppTest, view: str) -> AppTest:
    app.run().switch_page(PAGE)
    app.query_params["view"] = view
    app.run()
    assert not app.exception
    assert not app.error
    return app


def captions(app: AppTest) -> str:
    return "\n".join(caption.value for caption in app.caption)


def test_a_mirrored_leak_is_listed_apart_with_its_pair(app: AppTest, turned: Path) -> None:
    opened(app, "Leaks")

    table = app.dataframe[0].value
    assert table["copy"].tolist() == ["exact", "mirrored"]
    assert table["pictures"].tolist() == [1, 1]
    assert "· equal" in captions(app)


def test_the_overview_says_how_many_test_pictures_are_mirrored(app: AppTest, turned: Path) -> None:
    opened(app, "Overview")

    assert "1 test picture of Own pictures has a mirrored copy in train, 1 of them" in (
        app.warning[0].value
    )
    assert "0 leaks" in "\n".join(text.value for text in app.markdown)


def test_an_audit_of_an_earlier_version_still_shows(app: AppTest, turned: Path) -> None:
    path = turned / "audit.json"
    audit = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in audit.items() if k not in ("mirrored", "copies")}))
    (turned / "mirrored.csv").unlink()

    opened(app, "Leaks")

    assert app.dataframe[0].value["copy"].tolist() == ["exact"]
