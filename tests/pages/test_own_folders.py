"""Folders of one's own in the explorer: what was understood, and what names mean."""

import io
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.data import load_dataset, prepare
from core.data.demo import draw_demo
from core.errors import DataError, ImageError
from core.files import free_name
from webapp.dataset_explorer import prepare_job, preparing, store
from webapp.dataset_explorer.start import WATCHED
from webapp.folder_scores.files_input import FileSet, _state_of, on_disk, picture_folders

PAGE = "../pages/dataset_explorer.py"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data root."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("GIMEFIVE_DATA", str(folder))
    return folder


def make(root: Path, *folders: str) -> None:
    """A picture in every folder."""
    dice = np.random.default_rng(3)
    for number, folder in enumerate(folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
        cells = dice.integers(0, 256, (8, 8), dtype=np.uint8)
        picture = PIL.Image.fromarray(np.kron(cells, np.ones((8, 8), np.uint8)))
        picture.save(root / folder / f"{number}.png")


def test_what_was_understood_is_shown_before_the_button_builds_it(
    app: AppTest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[str, ...]] = []
    monkeypatch.setattr(preparing, "_start", lambda *values: begun.append(values[-1].pairs()[0]))
    make(root / "own", "train/1", "train/2", "val_set/2")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.multiselect(key="prepare sources").set_value(["own"]).run()

    assert app.dataframe[0].value["class"].tolist() == ["?", "?", "?"]
    assert app.dataframe[0].value["split"].tolist() == ["train", "train", "valid (val_set)"]
    assert "own gives its classes as numbers (1, 2)" in app.warning[0].value.replace("\\", "")
    assert app.button(key="prepare").disabled
    assert any("**What names mean**" in caption.value for caption in app.caption)

    app.text_input(key="prepare map").set_value("--map 1=anger --map 2=fear")
    app.text_input(key="prepare name").set_value("mine").run()

    assert app.dataframe[0].value["class"].tolist() == ["anger", "fear", "fear"]
    assert not app.warning

    app.button(key="prepare").click().run()

    assert not app.exception
    assert begun == [("1=anger", "2=fear")]
    assert str(root) not in str([*app.warning, *app.markdown])


def test_a_preparation_does_what_names_were_said_to_mean(root: Path) -> None:
    make(root / "own", "train/1", "archive/2", "misc/3")
    preparing.record_path("mine").parent.mkdir()
    preparing.Preparation(
        "mine",
        (str(root / "own"),),
        "six",
        "running",
        time.time(),
        class_map=("1=anger", "2=fear", "3=skip"),
        split_map=("archive=test", "misc=train"),
    ).save()

    assert prepare_job.run("mine")

    manifest = load_dataset(root / "mine").manifest
    assert manifest[["label", "split"]].to_numpy().tolist() == [
        ["fear", "test"],
        ["anger", "train"],
    ]


def test_a_preparation_that_ends_in_the_moment_it_is_asked_to_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    known = preparing.Preparation("mine", (), "six", "running", time.time(), pid=ended.pid)
    monkeypatch.setattr(preparing, "read", lambda name: known)

    preparing.stop("mine")


def test_what_cannot_be_used_is_said_before_the_button(app: AppTest, root: Path) -> None:
    make(root / "own", "")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.multiselect(key="prepare sources").set_value(["own"]).run()
    app.text_input(key="prepare map").set_value("1=cheese").run()

    assert not app.exception
    assert "no pair NAME=MEANING" in app.error[0].value
    assert str(root) not in app.error[0].value

    app.text_input(key="prepare map").set_value("").run()

    assert "own holds pictures without labels" in app.warning[0].value


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip with members of these names, as they stand."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo("x")
            member.filename = name  # else backslashes are changed on the way
            archive.writestr(member, content)
    return stream.getvalue()


def pictures(root: Path, *names: str) -> dict[str, bytes]:
    """A picture for every name."""
    make(root / "made", *(str(number) for number in range(len(names))))
    files = sorted((root / "made").rglob("*.png"))
    found = {name: file.read_bytes() for name, file in zip(names, files, strict=True)}
    shutil.rmtree(root / "made")
    return found


def test_a_zip_from_the_browser_is_understood_as_one_below_the_data_root(
    app: AppTest, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[object, ...]] = []
    monkeypatch.setattr(preparing, "_start", lambda *values: begun.append(values))
    names = ("mine\\happy\\1.png", "mine\\sad\\2.png", "mine\\sad\\3.png")
    twins = {"__MACOSX/mine/sad/._3.png": b"no picture", ".DS_Store": b"x"}
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    upload = zipped(pictures(root, *names) | twins)
    app.file_uploader(key="prepare upload").set_value(("mine.zip", upload, "application/zip")).run()

    assert not app.exception
    assert app.multiselect(key="prepare sources").value == ["uploads/mine.zip"]
    assert app.dataframe[0].value["class"].tolist() == ["happiness", "sadness"]
    assert app.dataframe[0].value["pictures"].tolist() == ["1", "2"]
    assert (root / "uploads" / "mine.zip").read_bytes() == upload
    shown = [*app.warning, *app.markdown, *app.info, *app.caption]
    assert str(root) not in " ".join(element.value for element in shown)

    app.text_input(key="prepare name").set_value("new").run()
    app.button(key="prepare").click().run()

    assert begun[0][:2] == ("new", [str(root / "uploads" / "mine.zip")])
    assert [path.name for path in (root / "uploads").iterdir()] == ["mine.zip"]  # written once


def test_endings_in_capitals_are_offered_and_known_again(app: AppTest, root: Path) -> None:
    upload = zipped(pictures(root, "happy/1.png", "sad/2.png"))
    (root / "tables").mkdir()
    (root / "tables" / "FER.CSV").write_text("emotion,pixels")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.file_uploader(key="prepare upload").set_value(
        ("Faces.ZIP", upload, "application/zip")
    ).run()

    assert not app.exception
    assert app.multiselect(key="prepare sources").value == ["uploads/Faces.ZIP"]
    assert app.dataframe[0].value["class"].tolist() == ["happiness", "sadness"]
    offered = ["tables", "tables/FER.CSV", "uploads", "uploads/Faces.ZIP"]
    assert preparing.candidates() == offered
    again = preparing.keep_upload("again.zip", io.BytesIO(upload), len(upload))
    assert again == "uploads/Faces.ZIP"


@pytest.mark.parametrize("held", ["set", "files"])
def test_the_demo_does_not_replace_what_a_folder_of_its_name_holds(
    app: AppTest, root: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    begun: list[tuple[object, ...]] = []
    monkeypatch.setattr(preparing, "_start", lambda *values: begun.append(values))
    make(root / "own", "train/anger", "train/fear")
    if held == "set":
        prepare([root / "own"], root / "demo", workers=1)
    else:
        make(root / "demo", "happy")
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.run()

    app.button(key="prepare demo").click().run()

    assert begun == []
    assert "already a folder demo in the data root, and it is not the" in app.error[0].value


@pytest.mark.parametrize("state", ["absent", "begun", "finished"])
def test_the_demo_may_be_prepared_again(
    root: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    begun: list[tuple[object, ...]] = []
    monkeypatch.setattr(preparing, "_start", lambda *values: begun.append(values))
    monkeypatch.setattr("core.data.demo.COUNTS", {"train": 1})
    if state == "begun":
        draw_demo(root / "demo")
    if state == "finished":
        prepare(["demo"], root / "demo", workers=1)

    preparing.begin("demo", ["demo"])

    assert begun == [("demo", ["demo"], "six")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no archive", "bad.zip is no zip archive"),
        (zipped({"a.txt": b"1"}), "the disk has 0"),
        (zipped({"a.txt": b"1"}), "bad.zip is too large: it has"),
    ],
)
def test_uploads_that_cannot_be_kept_are_refused_and_leave_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, sentence: str
) -> None:
    if "disk" in sentence:
        full = shutil.disk_usage(root)._replace(free=1)
        monkeypatch.setattr("shutil.disk_usage", lambda _: full)
    size = 2**30 if "large" in sentence else len(content)

    with pytest.raises(DataError, match=sentence) as refused:
        preparing.keep_upload("bad.zip", io.BytesIO(content), size)

    assert str(root) not in str(refused.value)
    assert not list(root.rglob("*.zip"))


def test_a_second_upload_of_a_name_does_not_take_the_firsts_place(root: Path) -> None:
    contents = [zipped({"a": b"1"}), zipped({"b": b"2"})]
    shares: list[float] = []

    kept = [
        preparing.keep_upload("../x/a.zip", io.BytesIO(one), len(one), shares.append)
        for one in contents
    ]

    again = preparing.keep_upload("b.zip", io.BytesIO(contents[0]), len(contents[0]))
    assert kept == ["uploads/a.zip", "uploads/2_a.zip"]
    assert again == kept[0]  # the same content lies there
    assert [(root / path).read_bytes() for path in kept] == contents
    assert shares == [1.0, 1.0]


def test_what_the_clean_split_took_and_left_out_is_said_when_data_are_ready(
    app: AppTest, root: Path
) -> None:
    make(root / "own", "train/anger", "train/fear")
    same = root / "own" / "train" / "anger" / "again.png"
    same.write_bytes(next((root / "own" / "train" / "anger").iterdir()).read_bytes())
    prepare([root / "own"], root / "mine", workers=1)
    preparing.record_path("mine").parent.mkdir()
    preparing.Preparation("mine", (str(root / "own"),), "six", "finished", time.time()).save()
    app.run().switch_page(PAGE)
    app.query_params["view"] = "Prepare"
    app.session_state[WATCHED] = "mine"
    app.run()

    (said,) = [one.value for one in app.markdown if "to learn from" in one.value]
    table = store.pictures(root / "mine")
    parts = table["clean"].value_counts()
    assert f"{parts['train']:,} to learn from, {parts.get('valid', 0):,} to choose by" in said
    assert f"{parts['drop']:,} are in no part" in said
    assert "There is no test part" in said
    assert app.text_input(key="prepare name").value == "my-data"
    (root / "my-data").mkdir()
    assert free_name(root, "my-data") == "my-data-2"


def test_hidden_files_are_no_pictures_and_a_change_below_is_another_folder(root: Path) -> None:
    make(root, "shapes/test/fear")
    (root / "twins").mkdir()
    (root / "twins" / "._a.jpg").write_bytes(b"of macOS")
    st.cache_data.clear()
    assert "twins" not in picture_folders(str(root))
    before = _state_of(str(root / "shapes"))

    deep = next((root / "shapes" / "test" / "fear").glob("*.png"))
    deep.write_bytes(deep.read_bytes() + b"0")
    st.cache_data.clear()

    assert _state_of(str(root / "shapes")) != before
    with (
        pytest.raises(ImageError, match="twins holds no picture any more"),
        on_disk(FileSet("twins", root / "twins")),
    ):
        pass


def test_a_set_prepared_again_keeps_its_step_from_frame_to_frame(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(root, "faces/train/happy", "faces/test/happy")
    dataset = prepare([str(root / "faces")], root / "set", workers=1)
    assert dataset.info["frame_step"] is None
    dataset.info["frame_step"] = 7  # as of films
    monkeypatch.setattr(
        preparing, "start_detached", lambda *_: subprocess.Popen([sys.executable, "-c", "pass"])
    )
    asked: list[object] = []
    monkeypatch.setattr(prepare_job, "prepare", lambda *_, **named: asked.append(named))

    preparing.begin_again(dataset)
    prepare_job.run("set")

    assert [one["frame_step"] for one in asked] == [7]  # type: ignore[index]
