"""A film in pieces is the film in one go, but for what the seams may change."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import quarters, walking_face, write_clip
from live_world import World
from test_analysis import Brightness

from core.errors import ConfigError
from core.labels import EMOTIONS
from core.types import Box
from core.video import (
    ANNOTATED,
    SUMMARY,
    TABLE,
    AnalysisSettings,
    CoreFaceFinder,
    PipelineSettings,
    Progress,
    VideoReader,
    analyse_video,
    finished_before,
    kept_seconds,
)
from core.video import pieces as film_pieces
from core.video.analysis import spent
from core.video.pieces import cut, same_faces
from core.video.protocols import WHOLE, Span

WHOLE_FILM = AnalysisSettings(pipeline=PipelineSettings(detector="blazeface"), piece=0)
CUT = replace(WHOLE_FILM, piece=1.0)
ORIGIN = {"bytes": 1}


@pytest.fixture(autouse=True)
def _short_run_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_pieces, "RUN_UP", 0.4)


def analyse(source: Path, out: Path, settings: AnalysisSettings, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return analyse_video(
        source, out, Brightness(), CoreFaceFinder(), settings, made_of=ORIGIN, **more
    )


def table(out: Path) -> list[dict[str, str]]:
    with (out / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    return write_clip(folder / "in.mp4", walking_face(85, 320, 240), sound=True)


def test_a_film_in_pieces_is_the_film_in_one_go(tmp_path: Path, film: Path) -> None:
    whole = analyse(film, tmp_path / "whole", WHOLE_FILM)
    seen: list[Progress] = []

    report = analyse(film, tmp_path / "cut", CUT, on_progress=seen.append)

    assert [progress.frames for progress in seen] == list(range(1, 86))
    for one, other in zip(table(tmp_path / "cut"), table(tmp_path / "whole"), strict=True):
        same = ("frame", "time", "face", "label")
        assert [one[name] for name in same] == [other[name] for name in same]
        for edge in ("left", "top", "right", "bottom"):
            assert abs(int(one[edge]) - int(other[edge])) <= 3
        for label in EMOTIONS:
            assert abs(float(one[label]) - float(other[label])) < 0.05
    for name in ("status", "source", "origin", "seconds", "frames", "frames_without_face", "files"):
        assert report[name] == whole[name]
    for one, other in zip(report["faces"], whole["faces"], strict=True):
        for name in ("face", "first", "last", "frames", "label_changes", "labels"):
            assert one[name] == other[name]
        for name in ("mean_probabilities", "mean_region_shares"):
            assert one[name] == pytest.approx(other[name], abs=0.02)
    assert report["notes"][:-1] == whole["notes"]
    assert report["notes"][-1].startswith("The film was analysed in 3 pieces of 1 s.")
    assert json.loads((tmp_path / "cut" / SUMMARY).read_text()) == report
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [ANNOTATED, TABLE, SUMMARY]


@pytest.mark.parametrize(("settings", "kept"), [(CUT, 2.0), (WHOLE_FILM, 0.0)])
def test_what_is_kept_of_a_film_that_was_stopped_is_its_whole_pieces(
    tmp_path: Path, film: Path, settings: AnalysisSettings, kept: float
) -> None:
    seen: list[Progress] = []

    analyse(film, tmp_path, settings, on_progress=seen.append, stopped=lambda: len(seen) > 60)

    assert kept_seconds(tmp_path) == kept


def test_its_annotated_copy_has_every_frame_once_and_the_sound(tmp_path: Path, film: Path) -> None:
    for name, settings in (("whole", WHOLE_FILM), ("cut", CUT)):
        analyse(film, tmp_path / name, settings)

    with (
        VideoReader(tmp_path / "whole" / ANNOTATED) as whole,
        VideoReader(tmp_path / "cut" / ANNOTATED) as pieces,
    ):
        both = [*zip(pieces.frames(), whole.frames(), strict=True)]
    for one, other in both:
        assert one.time == pytest.approx(other.time, abs=0.001)
    apart = [np.abs(one.image.astype(float) - other.image).mean() for one, other in both]
    assert np.median(apart) < 4  # 9 and more from the next frame; words may stand elsewhere in some
    lengths = []
    for name in ("whole", "cut"):
        with av.open(str(tmp_path / name / ANNOTATED)) as container:
            stream = container.streams.audio[0]
            samples = [frame.to_ndarray()[0] for frame in container.decode(stream)]
            lengths.append(len(np.concatenate(samples)) / stream.rate)
    assert lengths[1] == pytest.approx(lengths[0], abs=0.03)


def stop_after(frames: int) -> tuple[Callable[[Progress], None], Callable[[], bool]]:
    done: list[int] = []
    return lambda progress: done.append(progress.frames), lambda: bool(done) and done[-1] == frames


def test_a_film_goes_on_with_the_piece_that_was_broken_off(tmp_path: Path, film: Path) -> None:
    undisturbed = analyse(film, tmp_path / "whole", CUT)
    note, stopped = stop_after(37)

    first = analyse(film, tmp_path / "out", CUT, on_progress=note, stopped=stopped)
    partial = table(tmp_path / "out")
    with VideoReader(tmp_path / "out" / ANNOTATED) as copy:
        assert len(list(copy.frames())) == 37
    again: list[int] = []
    second = analyse(
        film, tmp_path / "out", CUT, on_progress=lambda progress: again.append(progress.frames)
    )

    assert (first["status"], first["frames"], len(partial)) == ("stopped", 37, 37)
    assert again[0] == 26  # the first piece was kept
    for name in (TABLE, ANNOTATED):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    own = ("elapsed", "times_real_time", "frame_milliseconds")
    assert {name: second[name] for name in second if name not in own} == {
        name: undisturbed[name] for name in undisturbed if name not in own
    }


@pytest.mark.parametrize(("settings", "ends"), [(CUT, (60, 53)), (WHOLE_FILM, (60, 20))])
def test_a_film_stopped_earlier_than_before_keeps_what_was_there(
    tmp_path: Path, film: Path, settings: AnalysisSettings, ends: tuple[int, int]
) -> None:
    reports, films = [], []
    for end in (*ends, 0, 70):
        note, stopped = stop_after(end) if end else (print, lambda: True)
        reports.append(analyse(film, tmp_path, settings, on_progress=note, stopped=stopped))
        films.append((tmp_path / ANNOTATED).read_bytes())

    assert [report["frames"] for report in reports] == [60, 60, 60, 70]
    assert films[0] == films[1] == films[2] != films[3]
    assert len(table(tmp_path)) == 70
    assert json.loads((tmp_path / SUMMARY).read_text()) == reports[-1]


def test_a_film_of_another_kind_that_is_stopped_replaces_what_was_there(
    tmp_path: Path, film: Path
) -> None:
    for end, settings in ((60, WHOLE_FILM), (20, replace(WHOLE_FILM, longest=200))):
        note, stopped = stop_after(end)
        analyse(film, tmp_path, settings, on_progress=note, stopped=stopped)

    assert len(table(tmp_path)) == 20


@pytest.mark.parametrize(
    ("settings", "breaks", "counts"),
    [
        (WHOLE_FILM, "core.video.writer.VideoWriter.write", True),  # nothing is replaced yet
        (WHOLE_FILM, "core.video.writer.VideoWriter.finish", False),
        (CUT, "core.video.writer.VideoWriter.finish", True),
        (CUT, "core.video.pieces.join_films", False),
    ],
)
def test_results_count_until_others_begin_to_replace_them(
    tmp_path: Path, film: Path, settings: AnalysisSettings, breaks: str, counts: bool
) -> None:
    analyse(film, tmp_path, settings)
    rows = table(tmp_path)
    other = replace(settings, longest=200)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(breaks, full)
        with pytest.raises(OSError, match="No space"):
            analyse(film, tmp_path, other)

    assert (finished_before(tmp_path, settings, ORIGIN) is not None) == counts
    assert (table(tmp_path) == rows) == counts
    assert finished_before(tmp_path, other, ORIGIN) is None
    assert analyse(film, tmp_path, other) == finished_before(tmp_path, other, ORIGIN)


def test_seconds_in_which_pieces_were_analysed_at_once_count_once() -> None:
    begun = [(100.0, 10.0), (104.0, 10.0), (105.0, 2.0), (200.0, 5.0)]
    parts = [{"part": {"began": began}, "elapsed": elapsed} for began, elapsed in begun]

    assert spent(parts) == 14.0 + 5.0
    assert spent(parts[::-1]) == 19.0


def test_pieces_of_another_network_or_way_are_made_again(tmp_path: Path, film: Path) -> None:
    note, stopped = stop_after(30)
    analyse(film, tmp_path / "out", CUT, on_progress=note, stopped=stopped)
    again: list[int] = []

    analyse_video(
        film,
        tmp_path / "out",
        Brightness(),
        CoreFaceFinder(),
        CUT,
        made_of={"bytes": 2},
        on_progress=lambda progress: again.append(progress.frames),
    )

    assert again == list(range(1, 86))


def test_a_film_is_cut_where_it_can_be_read_from(tmp_path: Path) -> None:
    film = write_clip(tmp_path / "in.mp4", [quarters()] * 80)  # 3.2 s
    other = write_clip(tmp_path / "in.avi", [quarters()] * 80)

    assert cut(film, CUT) == [Span(0.0, 1.0, 0.4), Span(1.0, 2.0, 0.4), Span(2.0, None, 0.4)]
    assert cut(film, replace(CUT, piece=1.5)) == [Span(0.0, 1.5, 0.4), Span(1.5, None, 0.4)]
    assert cut(film, replace(CUT, piece=1.7)) == [WHOLE]
    assert cut(film, replace(CUT, piece=0)) == [WHOLE]
    assert cut(other, CUT) == [WHOLE]


@pytest.mark.parametrize("piece", [-1.0, 0.5, float("nan")])
def test_pieces_of_no_sense_are_refused(piece: float) -> None:
    with pytest.raises(ConfigError, match="expected at least 1 s, or 0"):
        replace(CUT, piece=piece)


def test_a_piece_without_a_frame_is_no_error(tmp_path: Path) -> None:
    world = World()

    def times(number: int) -> float:
        return number / 25 + (2.5 if number >= 20 else 0.0)

    film = write_clip(
        tmp_path / "in.mp4", [world.frame()] * 40, times=times
    )  # none from 0.8 to 3.3
    report = analyse_video(film, tmp_path / "out", world, world, replace(CUT, piece=1.0))

    rows = table(tmp_path / "out")
    assert [row["frame"] for row in rows] == [str(number) for number in range(40)]
    np.testing.assert_allclose(
        [float(row["time"]) for row in rows], [times(number) for number in range(40)], atol=0.001
    )
    with VideoReader(tmp_path / "out" / ANNOTATED) as copy:
        np.testing.assert_allclose(
            [frame.time for frame in copy.frames()],
            [times(number) for number in range(40)],
            atol=0.001,
        )
    assert (report["frames"], report["frames_without_face"]) == (40, 40)


def test_faces_are_the_same_where_both_pieces_saw_them_at_one_place() -> None:
    left, right, away = (0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60)
    before = {
        1.0: [(7, Box(*left)), (9, Box(*right))],
        1.04: [(7, Box(*left)), (9, Box(*right))],
        1.08: [(9, Box(*left))],  # once they overlap where they should not
    }
    run_up = [
        (1.0, 1, *right),
        (1.0, 2, *left),
        (1.04, 1, *right),
        (1.04, 2, 1, 0, 11, 10),
        (1.04, 3, *away),
        (1.08, 2, *left),
        (1.12, 4, *left),  # at a time that the other has not
    ]

    assert same_faces(run_up, before) == {1: 9, 2: 7}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".mov"])
def test_the_parts_of_a_film_are_together_the_film(tmp_path: Path, suffix: str) -> None:
    def uneven(number: int) -> float:
        return number / 25 + 0.01 * (number % 3)

    path = tmp_path / f"in{suffix}"
    shades = (np.full((48, 64, 3), 2 * number, np.uint8) for number in range(100))
    write_clip(path, shades, times=uneven)
    spans = [Span(0.0, 1.0), Span(1.0, 2.5, run_up=0.5), Span(2.5, None, run_up=4.0)]

    with VideoReader(path) as reader:
        whole = list(reader.frames())
    parts, run_ups = [], []
    for span in spans:
        with VideoReader(path) as reader:
            assert reader.begins_at(max(span.start - span.run_up, 0.0))
        with VideoReader(path) as reader:
            frames = list(reader.frames(span=span))
        run_ups.append([frame for frame in frames if frame.number < 0])
        part = [frame for frame in frames if frame.number >= 0]
        assert [frame.number for frame in part] == list(range(len(part)))
        parts += part

    assert [frame.time for frame in parts] == [frame.time for frame in whole]
    for one, other in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
    assert [len(frames) for frames in run_ups] == [0, 12, 62]
    assert run_ups[1][0].time == pytest.approx(0.52, abs=0.011)


def test_films_without_reliable_times_are_not_read_from_the_middle(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.avi", [quarters()] * 50)

    with VideoReader(path) as reader:
        assert not reader.begins_at(1.0)


def test_a_place_far_from_any_frame_that_stands_alone_is_not_read_from(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.mp4", [quarters()] * 60)
    with VideoReader(path) as reader, pytest.MonkeyPatch.context() as patch:
        assert reader.begins_at(2.0)
        patch.setattr("core.video.reader._REACH", 0.5)  # the only such frame is the first
        assert not reader.begins_at(2.0)
