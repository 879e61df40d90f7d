"""The explorer tells mirrored leaks from others, and audits of earlier versions still show."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from core.data import prepare, shipped_audit
from webapp.dataset_explorer.overview import taken

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
    assert "It has 0 leaks: " in "\n".join(text.value for text in app.markdown)


@pytest.mark.parametrize(
    ("mirrored", "told"),
    [({"leaks": []}, "left to right were looked for"), (None, "left to right were not looked for")],
)
def test_without_leaks_the_view_says_what_was_compared(
    app: AppTest, turned: Path, mirrored: object, told: str
) -> None:
    path = turned / "audit.json"
    audit = json.loads(path.read_text())
    path.write_text(json.dumps(audit | {"leaks": [], "mirrored": mirrored}))

    opened(app, "Leaks")

    assert "No picture of one published part" in app.success[0].value
    assert "all 6 pictures (test 2, train 4). Exact copies" in captions(app)
    assert told in captions(app)


def test_pictures_of_a_single_part_are_not_said_to_be_compared(app: AppTest, turned: Path) -> None:
    path = turned / "audit.json"
    audit = json.loads(path.read_text())
    counts = {"folder": {"train": {"fear": 6}, "unlabelled": {"": 2}}}
    path.write_text(json.dumps(audit | {"leaks": [], "mirrored": None, "counts": counts}))

    opened(app, "Leaks")

    assert "The 6 pictures stand in one part" in app.info[0].value
    assert not app.success


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({}, "The 3 for validation were taken"),
        ({"valid": {"fear": 4}}, "1 of those for validation was taken"),
    ],
)
def test_validation_pictures_that_the_files_count_as_train_are_told(
    own: dict[str, Any], said: str
) -> None:
    """Of a first source two or, where it has a validation part, four are valid; of another one."""
    first = 4 if own else 2
    found = {
        "counts": {"a": {"train": {"fear": 9}, **own}, "b": {"train": {"fear": 9}}},
        "splits": {
            "clean": {
                "by_source": {"a": {"valid": first}, "b": {"valid": 1}},
                "parts": {"valid": first + 1},
            }
        },
    }

    assert said in taken(found)


def test_the_shipped_audit_says_that_its_validation_pictures_were_taken_from_train() -> None:
    assert taken(shipped_audit()).startswith(" The 5,330 for validation were taken from train")


def test_an_audit_of_an_earlier_version_still_shows(app: AppTest, turned: Path) -> None:
    path = turned / "audit.json"
    audit = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in audit.items() if k not in ("mirrored", "copies")}))
    (turned / "mirrored.csv").unlink()

    opened(app, "Leaks")

    assert app.dataframe[0].value["copy"].tolist() == ["exact"]
