import csv
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import damage, face_frame, noise, paste_face, walking_face, write_clip
from live_world import Person, World

from core.errors import VideoError
from core.faces import REGIONS
from core.labels import EMOTIONS
from core.types import Explanation, Image
from core.video import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    AnalysisSettings,
    CoreFaceFinder,
    Pipeline,
    PipelineSettings,
    VideoReader,
    VideoWriter,
    analyse_video,
)

QUICK = AnalysisSettings(pipeline=PipelineSettings(detector="blazeface"))


class Brightness(World):
    """A network that calls bright crops happy and dark ones sad; its maps are hot at the top."""

    def method_of(self, name: str) -> str:
        return "expected_cam" if name == "recommended" else name

    def fast(
        self, pixels: Image, method: str | None = None
    ) -> tuple[np.ndarray, tuple[Explanation, ...]]:
        light = pixels.reshape(len(pixels), -1).mean(axis=1) / 255
        logits = np.zeros((len(pixels), 6))
        logits[:, 0], logits[:, 2] = 12 * (light - 0.3), 12 * (0.3 - light)
        maps = np.zeros((len(pixels), 6, 4, 4), np.float32)
        maps[:, :, :2] = 1.0
        return logits, tuple(Explanation("made", "last", EMOTIONS, one) for one in maps)


def analyse(
    source: Path, out: Path, settings: AnalysisSettings = QUICK, **options: object
) -> dict[str, Any]:
    return analyse_video(source, out, Brightness(), CoreFaceFinder(), settings, **options)  # type: ignore[arg-type]


def rows(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_face_is_followed_through_the_whole_file(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(60), sound=True)

    report = analyse(source, tmp_path / "out")

    table = rows(tmp_path / "out")
    assert [row["frame"] for row in table] == [str(number) for number in range(60)]
    assert {row["face"] for row in table} == {"1"}
    assert list(table[0])[7:13] == list(EMOTIONS)
    for row in table:
        assert sum(float(row[label]) for label in EMOTIONS) == pytest.approx(1, abs=1e-5)
        assert sum(float(row[f"share_{name}"]) for name in REGIONS) == pytest.approx(1, abs=1e-3)
        assert row["label"] == "happiness"
    assert float(table[-1]["time"]) == pytest.approx(59 / 25, abs=0.01)
    assert report == json.loads((tmp_path / "out" / SUMMARY).read_text())
    assert (report["status"], report["frames"], report["frames_without_face"]) == (
        "finished",
        60,
        0,
    )
    (face,) = report["faces"]
    assert face["labels"] == {"happiness": 1.0}
    assert (face["frames"], face["label_changes"]) == (60, 0)
    assert "4x4 cells" in " ".join(report["notes"])


def test_the_box_follows_the_face(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(60))

    analyse(source, tmp_path / "out")

    for row in rows(tmp_path / "out")[::10]:
        turn = int(row["frame"]) / 25
        x, y = 320 + 102 * np.sin(turn), 240 + 20 * np.sin(2 * turn)
        left, top, right, bottom = (int(row[name]) for name in ("left", "top", "right", "bottom"))
        assert (left + right) / 2 == pytest.approx(x, abs=15)
        assert (top + bottom) / 2 == pytest.approx(y, abs=25)


def test_the_annotated_copy_has_drawings_sound_and_times(tmp_path: Path) -> None:
    times = [number / 25 if number < 20 else number / 25 + 0.5 for number in range(40)]
    source = write_clip(
        tmp_path / "in.mp4", walking_face(40), times=lambda number: times[number], sound=True
    )

    analyse(source, tmp_path / "out")

    with VideoReader(source) as one, VideoReader(tmp_path / "out" / ANNOTATED) as other:
        assert other.info.sound == "aac"
        pairs = list(zip(one.frames(), other.frames(), strict=True))
    np.testing.assert_allclose([new.time for _, new in pairs], times, atol=0.002)
    before, after = pairs[10][0].image.astype(int), pairs[10][1].image.astype(int)
    changed = np.abs(before - after).max(axis=2) > 60
    assert 0.02 < changed.mean() < 0.3
    with av.open(str(tmp_path / "out" / ANNOTATED)) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_two_faces_have_two_ids(tmp_path: Path) -> None:
    def frames() -> Iterator[Image]:
        for number in range(25):
            left = face_frame(800, 400, centre=(180 + number, 200), scale=0.9)
            half = face_frame(400, 400, centre=(220, 200), scale=0.9)
            left[:, 400:] = half
            yield left

    source = write_clip(tmp_path / "in.mp4", frames())
    settings = AnalysisSettings(pipeline=PipelineSettings(detector="auto"))

    report = analyse(source, tmp_path / "out", settings)

    assert [face["frames"] for face in report["faces"]] == [25, 25]
    assert len(rows(tmp_path / "out")) == 50


def test_a_video_without_faces_says_so(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.webm", [np.full((240, 320, 3), 90, np.uint8)] * 12)

    report = analyse(source, tmp_path / "out")

    assert (report["frames"], report["frames_without_face"], report["faces"]) == (12, 12, [])
    table = rows(tmp_path / "out")
    assert len(table) == 12
    assert {row["face"] for row in table} == {""}


def test_a_change_of_light_changes_the_label_within_300_ms(tmp_path: Path) -> None:
    bright, dark = face_frame(), (face_frame() * 0.25).astype(np.uint8)
    source = write_clip(tmp_path / "in.mp4", [bright] * 30 + [dark] * 30)

    report = analyse(source, tmp_path / "out")

    labels = [row["label"] for row in rows(tmp_path / "out")]
    assert report["faces"][0]["label_changes"] == 1
    assert labels.index("sadness") - 30 <= 0.3 * 25


def test_a_turned_4k_recording_is_analysed_upright_at_the_size_asked_for(tmp_path: Path) -> None:
    upright = paste_face(np.full((3840, 2160, 3), 110, np.uint8), centre=(1080, 1500), scale=6)
    stored = np.ascontiguousarray(np.rot90(upright, -1))  # a player turns it back by 90 degrees
    source = write_clip(tmp_path / "in.mp4", [stored] * 6, rotation=90)

    report = analyse(source, tmp_path / "out", replace(QUICK, longest=1280))

    assert (report["source"]["width"], report["source"]["height"]) == (720, 1280)
    assert (report["source"]["source_width"], report["source"]["source_height"]) == (3840, 2160)
    assert report["faces"][0]["frames"] == 6
    row = rows(tmp_path / "out")[5]
    assert (int(row["left"]) + int(row["right"])) / 2 == pytest.approx(360, abs=20)
    assert (int(row["top"]) + int(row["bottom"])) / 2 == pytest.approx(500, abs=40)


def test_a_file_cut_off_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", walking_face(60), faststart=True)
    source = tmp_path / "cut.mp4"
    source.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    report = analyse(source, tmp_path / "out")

    assert 10 < report["frames"] < 60
    assert report["notes"]
    with VideoReader(tmp_path / "out" / ANNOTATED) as reader:
        assert sum(1 for _ in reader.frames()) == report["frames"]


def test_stopping_keeps_what_was_done(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(40))
    done: list[int] = []

    report = analyse(
        source,
        tmp_path / "out",
        on_progress=lambda progress: done.append(progress.frames),
        stopped=lambda: len(done) == 7,
    )

    assert (report["status"], report["frames"], done) == ("stopped", 7, [1, 2, 3, 4, 5, 6, 7])
    assert len(rows(tmp_path / "out")) == 7
    with VideoReader(tmp_path / "out" / ANNOTATED) as reader:
        assert sum(1 for _ in reader.frames()) == 7


def test_frames_read_ahead_of_a_stop_are_not_counted(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", noise(), threads=1)
    damage(source)
    with VideoReader(source) as reader:
        filled = [frame.filled for frame in reader.frames()]
    first, done = filled.index(True) + 1, list[int]()

    report = analyse(
        source,
        tmp_path / "out",
        on_progress=lambda progress: done.append(progress.frames),
        stopped=lambda: len(done) == first,
    )

    assert any("filled in damaged parts: 1;" in note for note in report["notes"])


@pytest.mark.parametrize("annotated", [True, False])
def test_each_frame_is_shown_as_the_annotated_copy_has_it(
    tmp_path: Path, *, annotated: bool
) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(5))
    shown: list[Image] = []

    analyse(
        source,
        tmp_path / "out",
        AnalysisSettings(annotated=annotated),
        on_frame=lambda draw: shown.append(draw()),
    )

    assert len(shown) == 5
    with VideoReader(source) as reader:
        plain = [frame.image for frame in reader.frames()]
    assert all((one != other).any() for one, other in zip(shown, plain, strict=True))
    if annotated:
        with VideoReader(tmp_path / "out" / ANNOTATED) as reader:
            for one, frame in zip(shown, reader.frames(), strict=True):
                difference = np.abs(one.astype(float) - frame.image).mean()
                assert difference < 6  # lossy


def test_the_annotated_copy_may_be_left_out(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.avi", walking_face(5))

    report = analyse(source, tmp_path / "out", replace(QUICK, annotated=False))

    assert report["files"]["annotated"] is None
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [TABLE, SUMMARY]


def test_what_is_no_video_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_text("no video")

    with pytest.raises(VideoError):
        analyse(source, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_blank_maps_are_counted_and_called_blank(tmp_path: Path) -> None:
    world = World([Person(1, 160, 120, logits=(-1, -2, -2, -2, -2, -2))])  # maps follow the logits
    source = write_clip(tmp_path / "in.mp4", [world.frame()] * 4)

    report = analyse_video(source, tmp_path / "out", world, world)

    assert [note for note in report["notes"] if note.startswith("In 4 of 4 maps")]


def test_maps_of_only_evidence_against_are_counted_and_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Explanation, "speaks_only_against", lambda self, label: label == "fear")
    world = World([Person(1, 160, 120, logits=(0, 0, 0, 0, 0, 5))])
    source = write_clip(tmp_path / "in.mp4", [world.frame()] * 4)

    notes = analyse_video(source, tmp_path / "out", world, world)["notes"]

    assert notes[-1].startswith("In 4 of 4 maps nothing speaks for the expression named")
    assert notes[-1].endswith("they show what speaks against it.")


def test_a_film_of_another_origin_is_not_overwritten(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", [face_frame()] * 2)
    own = write_clip(tmp_path / ANNOTATED, [face_frame()] * 2)
    before = own.read_bytes()

    for film in (source, own):
        with pytest.raises(VideoError, match="another folder"):
            analyse(film, tmp_path)

    assert own.read_bytes() == before


def test_the_annotated_copy_of_an_earlier_analysis_is_replaced(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", [face_frame()] * 2)
    analyse(source, tmp_path / "out")
    (tmp_path / "out" / ANNOTATED).write_bytes(b"old")

    analyse(source, tmp_path / "out")

    assert (tmp_path / "out" / ANNOTATED).stat().st_size > 1000
    with pytest.raises(VideoError, match="rename"):
        analyse(tmp_path / "out" / ANNOTATED, tmp_path / "out")


def test_a_film_with_a_name_from_before_utf_8_is_analysed(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", [face_frame()] * 2)
    source = source.rename(tmp_path / os.fsdecode(b"\xe9t\xe9.mp4"))

    report = analyse(source, tmp_path / "out")

    assert (report["frames"], report["video"]) == (2, r"\xe9t\xe9.mp4")
    assert json.loads((tmp_path / "out" / SUMMARY).read_text()) == report


def test_a_film_gets_the_answers_of_its_frames_one_by_one(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", walking_face(20))
    pipeline = Pipeline(Brightness(), CoreFaceFinder(), QUICK.pipeline, budget=0)

    analyse(source, tmp_path / "out")

    with VideoReader(source) as film:
        expected = [pipeline.process(frame.image, frame.time).faces[0] for frame in film.frames()]
    for row, face in zip(rows(tmp_path / "out"), expected, strict=True):
        edges = tuple(int(row[name]) for name in ("left", "top", "right", "bottom"))
        assert edges == (face.box.left, face.box.top, face.box.right, face.box.bottom)
        shares = [f"{share:.6f}" for share in face.prediction.probabilities]
        assert [row[label] for label in EMOTIONS] == shares


def test_an_error_while_writing_ends_the_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: VideoWriter, image: Image, time: float) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    source = write_clip(tmp_path / "in.mp4", walking_face(30))

    with pytest.raises(OSError, match="No space"):
        analyse(source, tmp_path / "out")

    assert not (tmp_path / "out" / SUMMARY).exists()
