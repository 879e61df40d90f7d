"""The dataset explorer: the shipped audit, a small set with planted copies, and bad requests."""

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from core import EMOTIONS
from core.data import exclude_path, load_dataset, prepare, read_exclude
from core.errors import CoreError, DataError
from webapp.dataset_explorer import preparing

PAGE = "../pages/dataset_explorer.py"
TRAIN, TEST = 4, 2  # pictures a class, before copies are planted
TOTAL = len(EMOTIONS) * (TRAIN + TEST) + 2  # which are planted


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random patterns in class folders, with one leak and one contradiction among them."""
    files = tmp_path_factory.mktemp("patterns")
    dice = np.random.default_rng(7)
    for split, count in (("train", TRAIN), ("test", TEST)):
        for emotion in EMOTIONS:
            folder = files / split / emotion
            folder.mkdir(parents=True)
            for number in range(count):
                cells = dice.integers(0, 256, (8, 8), dtype=np.uint8)
                picture = PIL.Image.fromarray(np.kron(cells, np.ones((8, 8), np.uint8)))
                picture.save(folder / f"{number}.png")
    train, test = files / "train", files / "test"
    shutil.copy(train / "happiness" / "0.png", test / "happiness" / "leak.png")
    shutil.copy(train / "sadness" / "0.png", train / "anger" / "clash.png")
    out = tmp_path_factory.mktemp("prepared") / "small"
    prepare([f"folder={files}"], out, workers=1)
    return out


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data root."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("GIMEFIVE_DATA", str(folder))
    return folder


@pytest.fixture
def small(prepared: Path, root: Path) -> Path:
    """The small set in a data root of this test's own."""
    return Path(shutil.copytree(prepared, root / "small"))


def opened(app: AppTest, **address: Any) -> AppTest:  # noqa: ANN401 - a text or several
    """The page as a link with these parameters opens it."""
    app.run().switch_page(PAGE)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success]
    return "\n".join(part.value for part in parts)


def shown(app: AppTest) -> int:
    """Pictures that pass the filters."""
    found = re.search(r"\*\*([\d,]+) pictures?\*\*", words(app))
    assert found is not None
    return int(found[1].replace(",", ""))


def row_of(folder: Path, path: str) -> Any:  # noqa: ANN401 - a row of the manifest
    table = load_dataset(folder).manifest
    return table[table["path"].str.endswith(path)].iloc[0]


def test_without_data_the_shipped_audit_is_shown(app: AppTest, root: Path) -> None:
    opened(app)

    assert not app.exception
    assert not app.error
    assert "574 of the 600 published validation pictures are RAF-DB test pictures" in words(app)
    assert "89% of the" in words(app)
    assert app.warning[0].value.startswith("- **Leak.** ")
    assert "- **Shortcut.** 89% of" in app.warning[0].value
    twins = re.search(r"of FER2013 .* (\d+) of these with the same label", words(app))
    assert twins is not None
    assert int(twins[1]) >= 508
    assert app.get("image") == []


def test_the_page_says_what_a_label_is(app: AppTest, root: Path) -> None:
    opened(app)

    assert "A label is what raters gave a picture" in app.caption[0].value


@pytest.mark.parametrize("view", ["Pictures", "Leaks", "Mislabelled", "Map", "Excluded"])
def test_without_data_views_of_pictures_say_so(app: AppTest, root: Path, view: str) -> None:
    opened(app, view=view)

    assert not app.exception
    assert "Prepare one first" in app.info[0].value


def test_the_overview_counts_pictures_and_names_what_was_planted(app: AppTest, small: Path) -> None:
    opened(app)

    assert not app.exception
    assert not app.error
    assert [metric.value for metric in app.metric] == [str(TOTAL), "1", "2", "1"]
    assert "1 of 13 test pictures" in app.warning[0].value
    assert "1 group of copies in train has different labels" in app.warning[0].value


@pytest.mark.parametrize(
    ("filter_name", "value", "count"),
    [
        ("source", "folder", TOTAL),
        ("split", "test", 13),
        ("clean", "test", 13),
        ("reason", "copy of a test picture", 1),
        ("label", "fear", TRAIN + TEST),
        ("finding", "copies", 4),
        ("finding", "leaks", 1),
        ("finding", "contradicting", 2),
    ],
)
def test_each_filter_leaves_the_pictures_it_names(
    app: AppTest, small: Path, filter_name: str, value: str, count: int
) -> None:
    opened(app, view="Pictures")
    assert shown(app) == TOTAL

    app.multiselect(key=filter_name).set_value([value]).run()

    assert not app.exception
    assert shown(app) == count
    assert app.query_params[filter_name] == value


def test_filters_that_leave_nothing_say_so(app: AppTest, small: Path) -> None:
    opened(app, view="Pictures", finding="excluded")

    assert shown(app) == 0
    assert "No picture fits" in app.info[0].value


def test_a_link_sets_view_filters_and_page(app: AppTest, small: Path) -> None:
    opened(app, view="Pictures", split="train", page="2")

    assert not app.exception
    assert shown(app) == 25
    assert app.multiselect(key="split").value == ["train"]
    assert app.number_input(key="page").value == 2


def test_a_finding_leads_to_its_pictures(app: AppTest, small: Path) -> None:
    opened(app)

    next(button for button in app.button if button.label == "Show the contradictions").click()
    app.run()

    assert app.button_group(key="view").value == "Pictures"
    assert shown(app) == 2


def test_a_picture_opens_with_all_its_copies(app: AppTest, small: Path) -> None:
    clash = row_of(small, "train/anger/clash.png")
    other = row_of(small, "train/sadness/0.png")

    opened(app, view="Pictures", picture=str(clash["id"]))

    assert not app.exception
    assert f"Picture {clash['id']}" in words(app)
    assert "All 2 pictures of this group**, equal pixel for pixel" in words(app)
    assert "2 different labels" in words(app)
    keys = {button.key for button in app.button}
    assert {f"copy {clash['id']}", f"copy {other['id']}"} <= keys


def test_a_click_on_a_picture_puts_it_into_the_address(app: AppTest, small: Path) -> None:
    opened(app, view="Pictures")

    app.button(key="grid 3").click().run()

    assert app.query_params["picture"] == "3"
    assert "**Picture 3**" in words(app)


@pytest.mark.parametrize("asked", [str(TOTAL), "-1", "three", "²", "9" * 5000])
def test_a_link_to_a_picture_that_is_not_there_says_so(
    app: AppTest, small: Path, asked: str
) -> None:
    opened(app, view="Pictures", picture=asked)

    assert not app.exception
    assert not app.error
    assert f"numbered from 0 to {TOTAL - 1}" in app.warning[0].value


def test_a_link_to_a_data_set_that_is_not_there_says_so(app: AppTest, small: Path) -> None:
    opened(app, data="lost")

    assert not app.exception
    assert "asks for a data set 'lost'" in app.warning[0].value
    assert app.selectbox(key="data").value == "small"


def test_a_picture_is_excluded_and_taken_back(app: AppTest, small: Path) -> None:
    chosen = row_of(small, "test/fear/1.png")
    opened(app, view="Pictures", picture=str(chosen["id"]))

    app.text_input(key="exclude reason").set_value("no face")  # just before the click
    next(button for button in app.button if button.label == "Exclude it").click()
    app.run()
    listed = read_exclude(exclude_path(small))
    assert listed["pixel_hash"].tolist() == [chosen["pixel_hash"]]
    assert listed["reason"].tolist() == ["no face"]

    next(button for button in app.button if button.label == "Take it off the list").click()
    app.run()
    assert not app.exception
    assert read_exclude(exclude_path(small)).empty


def test_the_last_change_of_the_exclude_list_can_be_undone(app: AppTest, small: Path) -> None:
    opened(app, view="Pictures", picture="0")
    next(button for button in app.button if button.label == "Exclude it").click()
    app.run()
    del app.query_params["picture"]
    app.button_group(key="view").set_value("Excluded").run()
    assert "splits do not follow this list" in app.warning[0].value

    app.button(key="undo exclude").click().run()

    assert not app.exception
    assert read_exclude(exclude_path(small)).empty
    assert any("The list is empty" in info.value for info in app.info)


@pytest.mark.parametrize("name", ["../out", "a/b", "/tmp/x", "", ".hidden", "a b"])
def test_a_hostile_name_for_a_data_set_is_refused(app: AppTest, root: Path, name: str) -> None:
    (root / "faces").mkdir()
    opened(app, view="Prepare")
    app.multiselect(key="prepare sources").set_value(["faces"]).run()
    app.text_input(key="prepare name").set_value(name)

    app.button(key="prepare").click().run()

    assert not app.exception
    assert len(app.error) == 1
    assert "cannot name a data set" in app.error[0].value
    assert sorted(path.name for path in root.iterdir()) == ["faces"]


def test_a_name_that_is_too_long_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match="60 at most"):
        preparing.begin("x" * 61, ["faces"])


def test_a_source_outside_the_data_root_is_refused(root: Path) -> None:
    with pytest.raises(CoreError, match="lies outside"):
        preparing.begin("new", ["../elsewhere"])


def test_a_folder_that_is_there_is_not_written_into(app: AppTest, root: Path) -> None:
    (root / "faces").mkdir()
    (root / "faces" / "mine.txt").write_text("mine")
    opened(app, view="Prepare")
    app.multiselect(key="prepare sources").set_value(["faces"]).run()
    app.text_input(key="prepare name").set_value("faces")

    app.button(key="prepare").click().run()

    assert "already a folder faces" in app.error[0].value
    assert [path.name for path in (root / "faces").iterdir()] == ["mine.txt"]


def test_only_what_lies_below_the_data_root_is_offered(small: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = small.parent
    (root / "link").symlink_to(outside)
    (root / "faces.zip").write_bytes(b"")

    assert preparing.candidates() == ["faces.zip"]


def test_a_failed_preparation_is_one_sentence(app: AppTest, root: Path) -> None:
    record = preparing.record_path("bad")
    record.parent.mkdir()
    failed = preparing.Preparation(
        "bad", ("x",), "six", "failed", time.time(), message="bad has no layout that is known."
    )
    failed.save()
    app.run().switch_page(PAGE)
    app.session_state["prepare watched"] = "bad"
    app.query_params["view"] = "Prepare"

    app.run()

    assert not app.exception
    assert [error.value for error in app.error] == [r"bad\: bad has no layout that is known."]


def test_a_preparation_whose_process_is_gone_has_failed(root: Path) -> None:
    preparing.record_path("gone").parent.mkdir()
    running = preparing.Preparation("gone", ("x",), "six", "running", 0.0, pid=2**22 + 1, born=1.0)
    running.save()

    found = preparing.read("gone")

    assert found is not None
    assert found.state == "failed"
    assert preparing.running() is None


def test_a_read_only_server_offers_nothing_that_writes(
    app: AppTest, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    opened(app, view="Pictures", picture="0")
    assert "Exclude it" not in [button.label for button in app.button]

    del app.query_params["picture"]
    app.button_group(key="view").set_value("Prepare").run()
    assert not app.exception
    assert "This server is read-only" in app.info[0].value
    assert "Prepare" not in [button.label for button in app.button]


def test_a_set_without_its_audit_says_so(app: AppTest, small: Path) -> None:
    audit = small / "audit.json"
    audit.write_text(json.dumps({**json.loads(audit.read_text()), "data_hash": "another"}))

    opened(app)

    assert not app.exception
    assert "small has no audit of its own" in app.error[0].value
