"""The folder page: scores, labels in names, uploads, zips, and files that are no pictures."""

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bad_pictures import png_bomb
from evaluated_run import TEST, picture, write_pictures
from photos import sample_photo
from streamlit.testing.v1 import AppTest

from core.images import read_image
from core.labels import EMOTIONS
from core.models import Card, build, save_weights
from core.predict import Predictor
from core.types import Image
from webapp.folder_scores.files_input import FOLDER, UPLOAD
from webapp.folder_scores.scored import FAILED, KEPT_MOST, _found


@pytest.fixture
def run(own_runs: Path) -> Path:
    """A small network with random weights."""
    folder = own_runs / "small"
    folder.mkdir()
    options = {"width": 4}
    save_weights(build("gimefive", 6, **options).state_dict(), folder / "weights.safetensors")
    Card(model="gimefive", labels=EMOTIONS, model_options=options).save(folder / "card.json")
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "data-root"
    root.mkdir()
    monkeypatch.setenv("GIMEFIVE_DATA", str(root))
    return root


def opened(app: AppTest) -> AppTest:
    app.run()
    return app.switch_page("../pages/folder_scores.py").run()


def score_folder(page: AppTest, name: str) -> AppTest:
    page.selectbox(key="scores folder").set_value(name).run()
    page.button(key="score").click().run()
    assert not page.exception
    return page


def upload(page: AppTest, name: str, data: bytes, kind: str) -> AppTest:
    page.segmented_control(key="scores source").set_value("Upload files or a zip").run()
    page.file_uploader[0].upload(name, data, kind).run()
    page.button(key="score").click().run()
    assert not page.exception
    return page


def table(page: AppTest) -> pd.DataFrame:
    found: pd.DataFrame = page.dataframe[-1].value.copy()
    for name in ("label", "answer"):  # chips in the colour of the expression
        found[name] = ["" if cell is None else cell[0] for cell in found[name]]
    return found


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.error]
    return "\n".join(part.value for part in parts)


def png(image: Image) -> bytes:
    data: bytes = cv2.imencode(".png", image)[1].tobytes()
    return data


def test_without_pictures_the_page_says_what_to_do(app: AppTest, run: Path, data: Path) -> None:
    page = opened(app)

    assert not page.exception
    assert page.segmented_control(key="scores source").value == UPLOAD
    page.segmented_control(key="scores source").set_value(FOLDER).run()
    assert [one.value for one in page.info] == [
        "There is no folder with pictures in the app's data folder. Put one there and reload the "
        "page, or upload files."
    ]
    where = next(one for one in page.caption if one.value == "Where the data folder is")
    assert where.help == "It is data-root, which `GIMEFIVE_DATA` names."


def test_without_a_network_the_page_says_so(app: AppTest, own_runs: Path, data: Path) -> None:
    page = opened(app)

    assert not page.exception
    assert "There is no checkpoint" in page.error[0].value


def test_a_folder_gets_the_predictor_s_own_probabilities(
    app: AppTest, run: Path, data: Path
) -> None:
    write_pictures(data / "shapes")

    page = score_folder(opened(app), "shapes/test")

    rows = table(page).set_index("file")
    assert len(rows) == TEST * 6
    image = read_image(data / "shapes" / "test" / "fear" / "003.png")
    expected = Predictor.load(run).predictions([image])[0]
    np.testing.assert_allclose(
        rows.loc["fear/003.png", list(EMOTIONS)].astype(float),
        100 * expected.probabilities,
        atol=1e-4,
    )
    assert rows.loc["fear/003.png", "answer"] == expected.predicted
    assert str(rows.loc["fear/003.png", "picture"]).startswith("data:image/jpeg;base64,")


def test_folders_with_labels_give_accuracy_and_confusions(
    app: AppTest, run: Path, data: Path
) -> None:
    write_pictures(data / "shapes")

    page = score_folder(opened(app), "shapes/test")

    rows = table(page)
    accuracy = (rows["label"] == rows["answer"]).mean()
    assert page.metric[0].value == f"{100 * accuracy:.1f} %"
    assert "36 labelled pictures" in words(page)
    assert len(page.get("plotly_chart")) == 1


def test_folders_are_offered_at_every_depth_with_their_number(
    app: AppTest, run: Path, data: Path
) -> None:
    write_pictures(data / "shapes")

    page = opened(app)

    offered = page.selectbox(key="scores folder").options
    assert "shapes (156 pictures)" in offered
    assert "shapes/test/fear (6 pictures)" in offered


def test_a_file_that_is_no_picture_gets_a_row_and_loses_nothing(
    app: AppTest, run: Path, data: Path
) -> None:
    folder = data / "mixed"
    folder.mkdir()
    (folder / "good.png").write_bytes(png(picture("fear", np.random.default_rng(0))))
    (folder / "fake.jpg").write_bytes(b"this is text")
    (folder / "notes.txt").write_bytes(b"hello")

    page = score_folder(opened(app), "mixed")

    rows = table(page).set_index("file")
    assert rows.loc["good.png", "status"] in ("ok", "unclear")
    assert rows.loc["fake.jpg", "status"] == "unreadable"
    assert rows.loc["fake.jpg", "note"]
    assert rows.loc["fake.jpg", "answer"] == ""
    left_out = page.dataframe[0].value
    assert left_out["file"].tolist() == ["notes.txt"]
    assert "1 picture scored" in words(page)


def test_names_without_labels_give_no_accuracy(app: AppTest, run: Path, data: Path) -> None:
    folder = data / "plain"
    folder.mkdir()
    for number in range(3):
        image = picture("fear", np.random.default_rng(number))
        (folder / f"{number}.png").write_bytes(png(image))

    page = score_folder(opened(app), "plain")

    assert not page.metric
    assert len(table(page)) == 3


def test_an_uploaded_picture_is_scored_under_its_name(app: AppTest, run: Path, data: Path) -> None:
    image = png(picture("anger", np.random.default_rng(0)))

    page = upload(opened(app), "holiday_anger.png", image, "image/png")

    rows = table(page)
    assert rows["file"].tolist() == ["holiday_anger.png"]
    assert rows["label"].tolist() == ["anger"]


def test_a_zip_is_scored_with_its_folders(app: AppTest, run: Path, data: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as written:
        for label in ("happy", "sad"):
            image = png(picture("fear", np.random.default_rng(len(label))))
            written.writestr(f"set/{label}/1.png", image)
        written.writestr("readme.txt", "hello")

    page = upload(opened(app), "faces.zip", packed.getvalue(), "application/zip")

    rows = table(page)
    assert rows["file"].tolist() == ["set/happy/1.png", "set/sad/1.png"]
    assert rows["label"].tolist() == ["happiness", "sadness"]
    assert page.dataframe[0].value["reason"].tolist() == ["it is no picture file"]


def test_a_damaged_zip_is_one_sentence(app: AppTest, run: Path, data: Path) -> None:
    page = upload(opened(app), "faces.zip", b"no zip at all", "application/zip")

    assert "no zip archive" in page.error[0].value


@pytest.mark.parametrize(("name", "kind"), [("1.png", "image/png"), ("a.zip", "application/zip")])
def test_an_upload_that_is_too_large_is_one_sentence(
    app: AppTest, run: Path, data: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    for most in ("LARGEST_PICTURES", "LARGEST_ZIP"):
        monkeypatch.setattr(f"webapp.folder_scores.files_input.{most}", 1)

    page = upload(opened(app), name, bytes(3 * 2**19), kind)

    assert len(page.error) == 1
    assert "no usable picture" in page.error[0].value
    assert "it has 1.5 MB; expected at most 1)" in page.error[0].value


def test_a_picture_with_far_too_many_pixels_gets_a_row(app: AppTest, run: Path, data: Path) -> None:
    page = upload(opened(app), "huge.png", png_bomb(), "image/png")

    row = table(page).set_index("file").loc["huge.png"]
    assert row["status"] == "unreadable"
    assert "at most 51 million pixels" in row["note"]


def test_another_folder_does_not_show_the_former_scores(
    app: AppTest, run: Path, data: Path
) -> None:
    write_pictures(data / "shapes")
    page = score_folder(opened(app), "shapes/test")

    page.selectbox(key="scores folder").set_value("shapes/train").run()

    assert not page.exception
    assert not page.dataframe


def test_only_differing_answers_can_be_shown(app: AppTest, run: Path, data: Path) -> None:
    write_pictures(data / "shapes")
    page = score_folder(opened(app), "shapes/test")

    page.segmented_control(key="folder rows").set_value("Answer differs from label").run()

    rows = table(page)
    assert len(rows)
    assert (rows["label"] != rows["answer"]).all()


def test_the_download_is_the_scores_file_of_the_command_line(data: Path, run: Path) -> None:
    from webapp.folder_scores.scored import score

    write_pictures(data / "shapes")
    root = data / "shapes" / "test"
    files = sorted(root.rglob("*.png"))
    seen: list[int] = []

    found = score(files, root, Predictor.load(run), "whole", seen.append)

    rows = list(csv.DictReader(io.StringIO(found.csv)))
    assert list(rows[0])[:7] == ["filepath", *EMOTIONS]
    assert [row["label"] for row in rows] == [path.parent.name for path in files]
    assert {row["checkpoint"] for row in rows} == {run.name}
    assert [row["filepath"] for row in rows] == [p.relative_to(root).as_posix() for p in files]
    assert sum(float(rows[0][label]) for label in EMOTIONS) == pytest.approx(1.0)
    assert seen[-1] == len(files)


def test_a_group_photo_gives_one_row_that_says_so_or_a_row_a_face(
    app: AppTest, run: Path, data: Path
) -> None:
    folder = data / "group"
    folder.mkdir()
    head = sample_photo()[:260, 90:400]
    (folder / "pair.png").write_bytes(png(np.hstack([head, head[:, ::-1]])))

    page = score_folder(opened(app), "group")
    alone = table(page)
    page.toggle(key="all faces").set_value(True).run()
    page.button(key="score").click().run()

    assert alone["note"].tolist() == ["2 faces were found; the largest was scored."]
    assert alone["read as"].tolist() == ["face"]
    assert table(page)["file"].tolist() == ["pair.png", "pair.png"]


def test_a_photo_without_a_face_gets_a_reason_and_no_scores(
    app: AppTest, run: Path, data: Path
) -> None:
    folder = data / "sky"
    folder.mkdir()
    (folder / "sky.png").write_bytes(png(np.full((300, 400, 3), 140, np.uint8)))

    page = score_folder(opened(app), "sky")

    (row,) = table(page).to_dict("records")
    assert (row["status"], row["answer"], row["read as"]) == ("no face", "", "")
    assert str(row["note"]).startswith("No face was found.")


def test_scores_can_be_given_an_address(app: AppTest, run: Path, data: Path) -> None:
    write_pictures(data / "shapes")
    page = score_folder(opened(app), "shapes/test")
    page.button(key="keep scores").click().run()
    token = page.query_params["result"]
    rows = len(table(page))

    page.selectbox(key="scores folder").set_value(None).run()

    assert len(table(page)) == rows == TEST * 6
    page.query_params["result"] = token + "x"
    assert "no longer kept" in words(page.run())
    for number in range(KEPT_MOST + 1):  # addresses that lead nowhere take no place
        assert _found(f"made up {number}") is None
    assert _found(token) is not None


def test_scores_are_still_there_after_another_page(app: AppTest, run: Path, data: Path) -> None:
    write_pictures(data / "shapes")
    page = score_folder(opened(app), "shapes/test")
    before = table(page)

    page.switch_page("../pages/home.py").run()
    page.switch_page("../pages/folder_scores.py").run()

    assert not page.exception
    assert table(page).equals(before)


def test_files_without_an_answer_begin_with_the_reason(app: AppTest, run: Path, data: Path) -> None:
    write_pictures(data / "shapes")
    (data / "shapes" / "test" / "fear" / "broken.png").write_bytes(b"no picture")

    page = score_folder(opened(app), "shapes/test")
    page.segmented_control(key="folder rows").set_value(FAILED).run()

    rows = page.dataframe[-1].value
    assert list(rows)[:3] == ["file", "status", "note"]
    assert rows["status"].tolist() == ["unreadable"]
    assert rows["note"].iloc[0]
