"""Films done piece by piece in any order, by whoever takes a number."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clips import walking_face, write_clip
from test_analysis import Brightness

from core.video import (
    ANNOTATED,
    TABLE,
    AnalysisSettings,
    CoreFaceFinder,
    FilmWork,
    PipelineSettings,
    Progress,
    analyse_folder,
    analyse_video,
    broken_off,
    finished_before,
    origin,
    own_processes,
    spread,
)
from core.video import pieces as film_pieces
from core.video.analysis import analyse_span

SETTINGS = AnalysisSettings(pipeline=PipelineSettings(detector="blazeface"), piece=1.0)


@pytest.fixture(autouse=True)
def _short_run_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_pieces, "RUN_UP", 0.4)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("weights.safetensors", "card.json"):
        (folder / name).write_bytes(b"{}")
    return folder


def network(folder: Path, *, threads: int) -> Brightness:
    return Brightness()


def backwards(do: Callable[..., object], numbers: Sequence[int]) -> Iterator[int]:
    for number in reversed(numbers):
        do(number, threads=1)
        yield number


def first(do: Callable[..., object], numbers: Sequence[int]) -> Iterator[int]:
    do(numbers[0], threads=1)
    yield numbers[0]


def films(folder: Path) -> Path:
    folder.mkdir()
    write_clip(folder / "a.mp4", walking_face(60, 320, 240), sound=True)  # two pieces
    write_clip(folder / "b.mp4", walking_face(10, 320, 240))
    (folder / "c.mp4").write_text("no film")
    return folder


def joined(source: Path, out: Path, checkpoint: Path) -> dict[str, Any]:
    made_of = origin(source, checkpoint)
    return analyse_video(source, out, Brightness(), CoreFaceFinder(), SETTINGS, made_of=made_of)


def whole_folder(given: Path, out: Path, checkpoint: Path, made: set[Path]) -> dict[str, Any]:
    return analyse_folder(
        given,
        out,
        lambda source, result: joined(source, result, checkpoint),
        done=lambda source, result: finished_before(result, SETTINGS, origin(source, checkpoint)),
        made=made,
    )


def test_films_done_by_others_are_those_done_here(tmp_path: Path, checkpoint: Path) -> None:
    given = films(tmp_path / "in")
    here = whole_folder(given, tmp_path / "here", checkpoint, set())
    out = tmp_path / "out"
    pairs = [(path, out / path.name) for path in sorted(given.iterdir())]
    seen: list[Progress] = []

    made = spread(
        pairs,
        FilmWork(out, checkpoint, SETTINGS, network),
        backwards,
        on_progress=seen.append,
        stopped=lambda: False,
    )
    assert made == {given / "a.mp4", given / "b.mp4"}
    assert (seen[-1].frames, seen[-1].expected) == (70, 70)
    report = whole_folder(given, out, checkpoint, made)

    assert report["kept"] == 0
    assert report["videos"] == here["videos"]
    for name in ("a.mp4", "b.mp4"):
        for file in (TABLE, ANNOTATED):
            same = (tmp_path / "here" / name / file).read_bytes()
            assert (out / name / file).read_bytes() == same
    assert not list(out.rglob(".*"))
    again = spread(
        pairs, FilmWork(out, checkpoint, SETTINGS, network), backwards,
        on_progress=seen.append, stopped=lambda: False,
    )  # fmt: skip
    assert again == set()
    assert whole_folder(given, out, checkpoint, again)["kept"] == 2


@pytest.mark.parametrize(("worth", "others"), [(70, True), (71, False)])
def test_films_of_few_frames_are_left_to_one_process(
    worth: int, others: bool, tmp_path: Path, checkpoint: Path
) -> None:
    given, out = films(tmp_path / "in"), tmp_path / "out"  # of 70 frames together
    asked: list[int] = []

    def ask(do: Callable[..., object], numbers: Sequence[int]) -> Iterator[int]:
        asked.extend(numbers)
        yield from numbers

    made = spread(
        [(path, out / path.name) for path in given.iterdir()],
        FilmWork(out, checkpoint, SETTINGS, network),
        ask,
        worth=worth,
        on_progress=lambda progress: None,
        stopped=lambda: False,
    )

    assert bool(made) is bool(asked) is others


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 2), (4, 3), (8, 5), (None, 1)])
def test_as_many_films_at_once_as_keep_the_cores_busy(
    cores: int | None, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)

    assert own_processes() == processes


def test_a_stop_breaks_pieces_off_and_keeps_those_that_are_done(
    tmp_path: Path, checkpoint: Path
) -> None:
    given = films(tmp_path / "in")
    out = tmp_path / "out"
    pairs = [(given / "b.mp4", out / "b.mp4"), (given / "a.mp4", out / "a.mp4")]
    done: list[int] = []

    def one_then_asked(do: Callable[..., object], numbers: Sequence[int]) -> Iterator[int]:
        for number in numbers:
            do(number, threads=1)
            done.append(number)
            if number == 0:
                (out / ".work" / "stop").touch()
            yield number

    task = FilmWork(out, checkpoint, SETTINGS, network)
    spread(pairs, task, one_then_asked, on_progress=lambda progress: None, stopped=lambda: False)

    assert done == [0, 1, 2]  # the others were asked and did nothing
    assert json.loads((out / "b.mp4" / "summary.json").read_text())["status"] == "finished"
    assert not (out / "a.mp4").exists()


def test_another_way_or_film_is_done_again(tmp_path: Path, checkpoint: Path) -> None:
    given = films(tmp_path / "in")
    out = tmp_path / "out"
    pairs = [(given / "b.mp4", out / "b.mp4")]
    spread(
        pairs, FilmWork(out, checkpoint, SETTINGS, network), backwards,
        on_progress=lambda progress: None, stopped=lambda: False,
    )  # fmt: skip
    other = FilmWork(out, checkpoint, replace(SETTINGS, annotated=False), network)

    made = spread(pairs, other, backwards, on_progress=lambda progress: None, stopped=lambda: False)

    assert made == {given / "b.mp4"}
    with (out / "b.mp4" / TABLE).open(newline="") as file:
        assert len(list(csv.reader(file))) == 11


def test_a_film_with_a_name_from_before_utf_8_is_done_by_others(
    tmp_path: Path, checkpoint: Path
) -> None:
    given, out = tmp_path / "in", tmp_path / "out"
    given.mkdir()
    film = given / os.fsdecode(b"caf\xe9.mp4")
    write_clip(given / "a.mp4", walking_face(4, 320, 240)).rename(film)

    made = spread(
        [(film, out / r"caf\xe9.mp4")], FilmWork(out, checkpoint, SETTINGS, network), backwards,
        on_progress=lambda progress: None, stopped=lambda: False,
    )  # fmt: skip

    assert made == {film}
    assert (out / r"caf\xe9.mp4" / TABLE).is_file()


def test_what_others_had_done_when_an_end_was_asked_for_is_kept(
    tmp_path: Path, checkpoint: Path
) -> None:
    given, out = films(tmp_path / "in"), tmp_path / "out"
    film, result = given / "a.mp4", out / "a.mp4"
    ended: list[bool] = []

    def draw(do: Callable[..., object], numbers: Sequence[int]) -> Iterator[int]:
        do(numbers[0], threads=1)
        (out / ".work" / "stop").touch()
        ended.append(True)
        yield numbers[0]

    spread(
        [(film, result)], FilmWork(out, checkpoint, SETTINGS, network), draw,
        on_progress=lambda progress: None, stopped=lambda: False,
    )  # fmt: skip
    made_of = origin(film, checkpoint)
    assert broken_off(result, SETTINGS, made_of)
    report = analyse_video(
        film, result, Brightness(), CoreFaceFinder(), SETTINGS, made_of=made_of,
        stopped=lambda: bool(ended),
    )  # fmt: skip

    assert (report["status"], report["frames"]) == ("stopped", 25)  # the first piece, whole
    assert not broken_off(result, replace(SETTINGS, longest=640), made_of)


@pytest.mark.parametrize("piece", [1.0, 0.0])
def test_a_film_stopped_earlier_than_before_by_others_keeps_what_was_there(
    tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, piece: float
) -> None:
    given, out = films(tmp_path / "in"), tmp_path / "out"
    film, result, settings = given / "a.mp4", out / "a.mp4", replace(SETTINGS, piece=piece)
    made_of, kept = origin(film, checkpoint), []
    for end in (20, 5):

        def stopped_behind(*given: Any, end: int = end, **more: Any) -> dict[str, Any]:  # noqa: ANN401
            def tell(progress: Progress) -> None:
                if progress.frames == end:
                    (out / ".work" / "stop").touch()

            return analyse_span(*given, **more | {"on_progress": tell})

        monkeypatch.setattr(sys.modules[FilmWork.__module__], "analyse_span", stopped_behind)
        spread(
            [(film, result)], FilmWork(out, checkpoint, settings, network), first,
            on_progress=lambda progress: None, stopped=lambda: False,
        )  # fmt: skip
        report = analyse_video(
            film, result, Brightness(), CoreFaceFinder(), settings, made_of=made_of,
            stopped=lambda: True,
        )  # fmt: skip
        with (result / TABLE).open(newline="") as file:
            rows = len(list(csv.DictReader(file)))
        kept.append((report["status"], report["frames"], rows, (result / ANNOTATED).read_bytes()))

    assert kept[0][:3] == ("stopped", 20, 20)
    assert kept[1] == kept[0]


def test_a_film_of_another_origin_is_not_overwritten_by_others(
    tmp_path: Path, checkpoint: Path
) -> None:
    given, out = films(tmp_path / "in"), tmp_path / "out"
    own = out / "b.mp4" / ANNOTATED
    own.parent.mkdir(parents=True)
    own.write_bytes(b"a film of somebody")

    made = spread(
        [(given / "b.mp4", out / "b.mp4")], FilmWork(out, checkpoint, SETTINGS, network), backwards,
        on_progress=lambda progress: None, stopped=lambda: False,
    )  # fmt: skip

    assert made == set()
    assert own.read_bytes() == b"a film of somebody"
