"""How the app would frame the faces of a prepared folder."""

from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray
from photos import sample_photo

from core.data import Dataset, find_frames, load_dataset, load_frames, prepare
from core.data.frames import frame_map, framed
from core.errors import DataError
from core.faces import find_faces

LEFT, TOP, SIDE = 150, 30, 176  # a loose square around the astronaut's face


def loose(side: int = 64) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(sample_photo(), cv2.COLOR_RGB2GRAY)
    square = grey[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "faces" / "happy"
    folder.mkdir(parents=True)
    PIL.Image.fromarray(loose()).save(folder / "face.png")
    PIL.Image.fromarray(np.full((64, 64), 90, np.uint8)).save(folder / "wall.png")
    return prepare([str(tmp_path / "faces")], tmp_path / "out")


def test_the_corners_of_the_frame_lie_where_the_app_puts_them_in_the_photo() -> None:
    corners = np.array([(-1, -1, 1), (1, -1, 1), (-1, 1, 1), (1, 1, 1)], dtype=np.float64)

    inside = corners @ frame_map(loose()).T.astype(np.float64)
    found = (inside + 1) / 2 * SIDE - 0.5 + (LEFT, TOP)

    face = find_faces(sample_photo()).faces[0]
    side = len(face.crop)
    back = cv2.invertAffineTransform(face.matrix)
    ends = np.array([(-0.5, -0.5, 1), (side - 0.5, -0.5, 1), (-0.5, side - 0.5, 1)])
    wanted = ends @ back.T
    width = float(np.linalg.norm(wanted[1] - wanted[0]))
    np.testing.assert_allclose(found[:3], wanted, atol=0.06 * width)
    assert np.linalg.norm(found[3] - found[0]) == pytest.approx(width * np.sqrt(2), rel=0.08)


def test_a_framed_picture_is_the_crop_that_the_app_would_cut() -> None:
    grey = loose()
    rgb = np.repeat(grey[:, :, None], 3, axis=2)

    face = find_faces(rgb, detector="blazeface").faces[0]
    np.testing.assert_allclose(framed(grey, frame_map(grey)), face.crop[:, :, 0], atol=2)


def test_a_margin_shows_more_around_the_face() -> None:
    ramp = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    half = np.array([[0.5, 0, 0], [0, 0.5, 0]], np.float32)

    rows = [framed(ramp, half, margin)[64].astype(int) for margin in (0.0, 0.25)]

    # 32 columns of the picture around its middle, then half as many again: at 16 to 48, 8 to 56.
    for row, first in zip(rows, (16, 8), strict=True):
        assert row[0] / 4 == pytest.approx(first - 0.5, abs=0.5)
        assert row[-1] / 4 == pytest.approx(63 - first + 0.5, abs=0.5)


def test_a_picture_without_a_face_has_no_frame(dataset: Dataset) -> None:
    frames = find_frames(dataset)

    faces = dataset.manifest["path"].str.endswith("face.png").to_numpy()
    assert frames.looked.all()
    assert frames.found == 1
    np.testing.assert_array_equal(np.isfinite(frames.maps).all(axis=(1, 2)), faces)


def test_what_was_found_is_kept_and_not_looked_for_again(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = find_frames(dataset)
    monkeypatch.setattr("core.data.frames.frame_map", pytest.fail)

    again = find_frames(load_dataset(dataset.folder))

    np.testing.assert_array_equal(again.maps, first.maps)


def test_only_the_sources_asked_for_are_looked_at(dataset: Dataset) -> None:
    with pytest.raises(DataError, match="no source affectnet; it has folder"):
        find_frames(dataset, ["affectnet"])
    assert load_frames(dataset) is None


def test_frames_of_other_pictures_do_not_count(dataset: Dataset) -> None:
    find_frames(dataset)
    dataset.info["data_hash"] = "another"

    assert load_frames(dataset) is None


def test_a_damaged_file_is_named_with_the_way_out(dataset: Dataset) -> None:
    (dataset.folder / "frames.npz").write_bytes(b"PK\x03\x04 nothing")

    with pytest.raises(DataError, match="Delete it and run: python -m core frame"):
        load_frames(dataset)


def test_frames_of_the_same_pictures_in_another_order_do_not_count(dataset: Dataset) -> None:
    find_frames(dataset)
    table = dataset.folder / "manifest.csv"
    head, *rows = table.read_text().splitlines(keepends=True)
    table.write_text(head + "".join(reversed(rows)))

    assert load_frames(load_dataset(dataset.folder)) is None
