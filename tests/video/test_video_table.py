import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_world import live_face

from core.errors import VideoError
from core.explain import fit_masks, region_evidence
from core.faces import REGIONS, regions
from core.labels import EMOTIONS
from core.preprocess import Preprocess
from core.types import Explanation
from core.video.analysis import drop
from core.video.table import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    leave_others_alone,
    open_table,
    region_shares,
)

WHOLE = Preprocess()


def explanation(maps: np.ndarray) -> Explanation:
    return Explanation("grad_cam", "last", ("happiness",), maps.astype(np.float32)[None])


def test_an_even_map_gives_each_region_its_area() -> None:
    face = live_face().face
    assert face.crop_landmarks is not None
    masks = regions(face.crop_landmarks, 64)

    shares = region_shares(face, explanation(np.ones((4, 4))), "happiness", WHOLE)

    assert shares is not None
    assert list(shares) == list(REGIONS)
    for name in REGIONS:
        assert shares[name] == pytest.approx(float(masks[name].mean()), abs=1e-6)


@pytest.mark.parametrize("preprocess", [Preprocess(64, 64), Preprocess(48, 44), Preprocess(96, 96)])
def test_shares_are_those_that_a_photo_of_the_face_has(preprocess: Preprocess) -> None:
    face = live_face().face
    assert face.crop_landmarks is not None
    maps = np.random.default_rng(3).normal(size=(17, 17))
    both = Explanation(
        "hires_cam", "last", ("happiness", "fear"), np.stack([maps, -maps]).astype(np.float32)
    )
    masks = fit_masks(regions(face.crop_landmarks, face.crop.shape[0]), preprocess)
    photo = region_evidence(both, masks, "happiness", "fear")

    shares = region_shares(face, both, "happiness", preprocess)

    assert shares is not None
    assert shares == pytest.approx({entry.region: entry.share for entry in photo}, abs=1e-9)


def test_shares_sum_to_one_and_ignore_negative_evidence() -> None:
    maps = np.random.default_rng(0).normal(size=(8, 8))

    shares = region_shares(live_face().face, explanation(maps), "happiness", WHOLE)
    positive = region_shares(live_face().face, explanation(maps.clip(0)), "happiness", WHOLE)

    assert shares == positive
    assert shares is not None
    assert sum(shares.values()) == pytest.approx(1)


def test_heat_in_a_corner_is_background() -> None:
    maps = np.zeros((16, 16))
    maps[0, 0] = 1

    shares = region_shares(live_face().face, explanation(maps), "happiness", WHOLE)

    assert shares is not None
    assert shares["background"] == pytest.approx(1)


def test_a_blank_map_and_a_face_without_landmarks_have_no_shares() -> None:
    face = live_face().face

    assert region_shares(face, explanation(np.zeros((4, 4))), "happiness", WHOLE) is None
    assert (
        region_shares(
            replace(face, landmarks=None), explanation(np.ones((4, 4))), "happiness", WHOLE
        )
        is None
    )


@pytest.mark.parametrize("name", [TABLE, SUMMARY, ANNOTATED])
@pytest.mark.parametrize("beside", [(), (TABLE,), (SUMMARY,)])
def test_a_file_of_another_origin_is_not_overwritten(
    tmp_path: Path, name: str, beside: tuple[str, ...]
) -> None:
    for file in (name, *beside):
        (tmp_path / file).write_text("face,mood\n1,glad\n")

    with pytest.raises(VideoError, match=r"no analysis has written it\. Choose another folder"):
        leave_others_alone(tmp_path / "in.mp4", tmp_path, annotated=True)
    if (name, beside) == (ANNOTATED, ()):
        leave_others_alone(tmp_path / "in.mp4", tmp_path, annotated=False)


def test_the_object_of_another_origin_is_not_dropped(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text('{"title": "my own notes"}')

    drop(tmp_path)

    assert (tmp_path / SUMMARY).read_text() == '{"title": "my own notes"}'


@pytest.mark.parametrize("left_out", [(), (SUMMARY,), (SUMMARY, ANNOTATED)])
def test_what_an_analysis_left_is_replaced_but_not_by_itself(
    tmp_path: Path, left_out: tuple[str, ...]
) -> None:
    film = tmp_path / ANNOTATED
    with open_table(tmp_path / TABLE, EMOTIONS):
        film.write_bytes(b"film")
    summary = {"status": "finished", "files": {"annotated": ANNOTATED}}
    (tmp_path / SUMMARY).write_text(json.dumps(summary))
    for name in left_out:
        (tmp_path / name).unlink()
    (tmp_path / "in.mp4").write_bytes(b"another")

    leave_others_alone(tmp_path / "in.mp4", tmp_path, annotated=True)

    if film.exists():
        for annotated in (True, False):
            with pytest.raises(VideoError, match="rename that file"):
                leave_others_alone(film, tmp_path, annotated=annotated)
