import csv
import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import VideoError
from core.labels import EMOTIONS
from core.video.analysis import AnalysisSettings
from core.video.batch import (
    BATCH,
    BATCH_TABLE,
    Pair,
    analyse_folder,
    list_videos,
    pairs,
)
from core.video.pieces import finished_before, origin
from core.video.table import SUMMARY, TABLE, columns

DISFA = ("Videos_LeftCamera/LeftVideoSN001_comp.avi", "Video_RightCamera/RightVideoSN001_Comp.avi")


def written(source: Path, out: Path) -> dict[str, Any]:
    """An analysis whose answers are known: left frames are all happy, right ones half."""
    if "broken" in source.name:
        raise VideoError("broken.mp4 cannot be opened as a video.")
    out.mkdir(parents=True)
    with (out / "faces.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns(EMOTIONS))
        for frame in range(4):
            happy = "Left" in source.name or frame < 2
            shares = [0.9 if happy else 0.1, 0.1 if happy else 0.9, 0, 0, 0, 0]
            label = "happiness" if happy else "surprise"
            writer.writerow([frame, frame / 20, 1, 0, 0, 9, 9, *shares, label, 1, *[""] * 8])
            writer.writerow([frame, frame / 20, "", *[""] * 20])
    face = {"labels": {"happiness": 1.0}, "mean_probabilities": dict.fromkeys(EMOTIONS, 1 / 6)}
    return {"status": "finished", "frames": 4, "frames_without_face": 0, "faces": [face]}


def folder(tmp_path: Path, *names: str) -> Path:
    (tmp_path / "in").mkdir(exist_ok=True)
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"")
    return tmp_path / "in"


def test_left_and_right_of_one_recording_are_a_pair() -> None:
    lonely = ("Videos_LeftCamera/LeftVideoSN002_comp.avi", "a.mp4")
    folders = ("left/one.mp4", "right/one.mp4")
    paths = [Path(name) for name in (*DISFA, *lonely, *folders)]

    assert set(pairs(paths)) == {Pair(paths[0], paths[1]), Pair(paths[4], paths[5])}


def test_videos_are_found_below_the_folder_in_order(tmp_path: Path) -> None:
    given = folder(tmp_path, "b/two.MP4", "a/one.avi", "notes.txt", ".hidden/three.mp4")

    assert [path.name for path in list_videos(given)] == ["one.avi", "two.MP4"]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("00001.MTS", b"", True),
        ("phone.3gp", b"", True),
        ("tape.m2ts", b"", True),
        ("page.ts", b"export const a = 1", False),
        ("broadcast.ts", b"\x47\x40\x00", True),
        ("go.mod", b"module a", False),
        ("MOV001.MOD", b"\x00\x00\x01\xba\x44", True),
    ],
)
def test_the_endings_of_camcorders_and_phones_are_known(
    tmp_path: Path, name: str, content: bytes, found: bool
) -> None:
    given = folder(tmp_path, "a.mp4")
    (given / name).write_bytes(content)

    assert (given / name in list_videos(given)) == found


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ('{"files": {"table": "faces.csv", "annotated": "annotated.mp4"}}', False),
        ('{"files": {"table": "faces.csv", "annotated": null}}', True),
        ('{"files": ["annotated"]}', True),
        ("minutes of the meeting", True),
        (None, True),
    ],
)
def test_only_the_annotated_copy_of_an_analysis_is_no_video_of_the_user(
    tmp_path: Path, summary: str | None, found: bool
) -> None:
    given = folder(tmp_path, "talk.mp4", "results/talk.mp4/annotated.mp4", "results/own.mp4")
    if summary is not None:
        (given / "results/talk.mp4/summary.json").write_text(summary)

    names = [path.relative_to(given).as_posix() for path in list_videos(given)]

    annotated = ["results/talk.mp4/annotated.mp4"] if found else []
    assert names == ["results/own.mp4", *annotated, "talk.mp4"]


def test_results_among_the_videos_themselves_are_refused(tmp_path: Path) -> None:
    given = folder(tmp_path, "talk.mp4")

    with pytest.raises(VideoError, match=r"talk\.mp4 need a folder .* another folder"):
        analyse_folder(given, given, written)


def test_a_batch_stopped_before_its_first_film_can_go_on(tmp_path: Path) -> None:
    given, out = folder(tmp_path, "talk.mp4"), tmp_path / "out"
    out.mkdir()

    for _ in range(2):
        analyse_folder(given, out, written, stopped=lambda: True)

    assert (out / BATCH_TABLE).read_text().splitlines() == ["video,status,error"]
    (out / BATCH_TABLE).write_bytes(b"\r\n")  # as it was written before
    assert analyse_folder(given, out, written)["left_out"] == 0


@pytest.mark.parametrize("name", [BATCH, BATCH_TABLE])
def test_a_table_of_another_origin_is_not_overwritten(tmp_path: Path, name: str) -> None:
    given, own = folder(tmp_path, "talk.mp4"), tmp_path / name
    own.write_text("video,mood\ntalk.mp4,glad\n")

    with pytest.raises(VideoError, match=r"no analysis has written it\. Choose another folder"):
        analyse_folder(given, tmp_path, written)

    assert own.read_text().endswith("glad\n")


def test_names_from_before_utf_8_are_analysed_and_told_apart(tmp_path: Path) -> None:
    given = folder(tmp_path)
    names = [b"caf\xe8.mp4", b"caf\xe9.mp4", b"broken \xe9.mp4"]
    for name in names:
        (given / os.fsdecode(name)).write_bytes(b"")

    report = analyse_folder(given, tmp_path / "out", written)

    shown = [r"broken \xe9.mp4", r"caf\xe8.mp4", r"caf\xe9.mp4"]
    assert [entry["video"] for entry in report["videos"]] == shown
    assert json.loads((tmp_path / "out" / BATCH).read_text()) == report
    assert (tmp_path / "out" / shown[1] / "faces.csv").is_file()


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no video"):
        list_videos(folder(tmp_path, "notes.txt"))


def test_every_video_gets_a_folder_and_pairs_are_compared(tmp_path: Path) -> None:
    given = folder(tmp_path, "LeftVideoSN001_comp.avi", "RightVideoSN001_Comp.avi", "broken.mp4")

    report = analyse_folder(given, tmp_path / "out", written)

    assert [entry["status"] for entry in report["videos"]] == ["finished", "finished", "failed"]
    (pair,) = report["pairs"]
    assert (pair["common_frames"], pair["same_label"]) == (4, 0.5)
    assert pair["mean_difference"] == pytest.approx(0.5 * (0.8 + 0.8) / 6)
    assert report == json.loads((tmp_path / "out" / BATCH).read_text())
    with (tmp_path / "out" / BATCH_TABLE).open(newline="") as file:
        table = list(csv.DictReader(file))
    assert table[0]["most_frequent_label"] == "happiness"
    assert "cannot be opened" in table[2]["error"]
    assert (tmp_path / "out" / "LeftVideoSN001_comp.avi" / "faces.csv").is_file()


def test_a_stop_leaves_the_rest_out(tmp_path: Path) -> None:
    given = folder(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    done: list[Path] = []

    def analyse(source: Path, out: Path) -> dict[str, Any]:
        done.append(source)
        return written(source, out)

    report = analyse_folder(given, tmp_path / "out", analyse, stopped=lambda: len(done) == 2)

    assert (len(report["videos"]), report["left_out"]) == (2, 1)


def test_films_finished_before_are_kept_and_counted(tmp_path: Path) -> None:
    given = folder(tmp_path, "a.mp4", "b.mp4", "c.mp4")
    asked: list[str] = []

    def analyse(source: Path, result: Path) -> dict[str, Any]:
        asked.append(source.name)
        return written(source, result)

    whole = analyse_folder(given, tmp_path / "whole", analyse)
    first = analyse_folder(given, tmp_path / "out", analyse, stopped=lambda: len(asked) == 5)
    before = dict(zip(("a.mp4", "b.mp4"), first["videos"], strict=True))
    summary = {"status": "finished", "frames": 4, "frames_without_face": 0}
    face = {"labels": {"happiness": 1.0}, "mean_probabilities": dict.fromkeys(EMOTIONS, 1 / 6)}
    again = analyse_folder(
        given,
        tmp_path / "out",
        analyse,
        done=lambda path, _: {**summary, "faces": [face]} if path.name in before else None,
    )

    assert asked == ["a.mp4", "b.mp4", "c.mp4", "a.mp4", "b.mp4", "c.mp4"]
    assert (first["left_out"], again["kept"]) == (1, 2)
    assert again["videos"] == whole["videos"]


@pytest.mark.parametrize(
    "changed", ["nothing", "name", "settings", "film", "status", "table", "weights"]
)
def test_only_the_same_analysis_that_came_to_its_end_is_kept(tmp_path: Path, changed: str) -> None:
    film, result, checkpoint = tmp_path / "a.mp4", tmp_path / "out", tmp_path / "run"
    result.mkdir()
    checkpoint.mkdir()
    film.write_bytes(b"film")
    for name in ("weights.safetensors", "card.json"):
        (checkpoint / name).write_bytes(b"{}")
    settings = AnalysisSettings(annotated=False)
    (result / TABLE).write_text("")
    facts = {"origin": origin(film, checkpoint), "settings": asdict(settings)}
    summary = {"status": "stopped" if changed == "status" else "finished", **facts}
    (result / SUMMARY).write_text(json.dumps(summary))

    if changed == "film":
        film.write_bytes(b"longer film")
    if changed == "name":
        checkpoint = checkpoint.rename(tmp_path / "other name")
    if changed == "weights":
        (checkpoint / "weights.safetensors").write_bytes(b"others")
    if changed == "table":
        (result / TABLE).unlink()
    wanted = replace(settings, longest=640) if changed == "settings" else settings
    found = finished_before(result, wanted, origin(film, checkpoint))

    assert (found is not None) == (changed in {"nothing", "name"})
    assert facts["origin"]["network"] == "run"
    assert facts["origin"]["weights_sha256"] == hashlib.sha256(b"{}").hexdigest()
