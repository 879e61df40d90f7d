"""Files are written whole, whoever else writes, and what a killed writer left goes."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core import files
from core.files import is_temporary, replacing, write_json, write_text
from core.process import ProcessId

WRITERS, TURNS = 6, 100


def test_threads_replace_one_file_without_a_failure_or_half_of_one(tmp_path: Path) -> None:
    path, faults = tmp_path / "status.json", list[str]()
    done = threading.Event()

    def write(number: int) -> None:
        for turn in range(TURNS):
            try:
                write_json(path, {"turn": turn, "text": "x" * 4000 * (number + 1)})
            except OSError as error:
                faults.append(repr(error))

    def read() -> None:
        while not done.is_set():
            try:
                json.loads(path.read_text())
            except FileNotFoundError:
                pass
            except ValueError:
                faults.append("half a file")

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for one in (reader, *writers):
        one.start()
    for one in writers:
        one.join()
    done.set()
    reader.join()

    assert faults == []
    assert [one.name for one in tmp_path.iterdir()] == ["status.json"]


def test_what_a_killed_writer_left_goes_with_the_next_write(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from core.files import replacing\n"
        "with replacing(Path(sys.argv[1]) / 'last.pt') as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    left = [one.name for one in tmp_path.iterdir()]
    with replacing(tmp_path / "other") as living:
        living.write_text("being written")
        files._cleared.clear()
        write_text(tmp_path / "status.json", "{}")
        kept = living.exists()

    assert killed.returncode == -signal.SIGKILL
    assert len(left) == 1
    assert is_temporary(left[0])
    assert kept
    assert sorted(one.name for one in tmp_path.iterdir()) == ["other", "status.json"]


def test_a_folder_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    with replacing(tmp_path / "run") as whole:
        whole.mkdir()
        (whole / "card.json").write_text("{}")

    def cut_short() -> None:
        with replacing(tmp_path / "other") as half:
            half.mkdir()
            (half / "card.json").write_text("{}")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        cut_short()
    left = tmp_path / f".third.{ProcessId(2**22 + 1, 1.0).token}-0123abcd.tmp"
    left.mkdir()
    (left / "weights").write_text("x")
    files._cleared.clear()
    write_text(tmp_path / "new", "x")

    assert sorted(one.name for one in tmp_path.iterdir()) == ["new", "run"]
    assert (tmp_path / "run" / "card.json").read_text() == "{}"


def test_a_temporary_file_of_another_machine_is_left_alone(tmp_path: Path) -> None:
    token = ProcessId(2**22 + 1, 1.0, "elsewhere", "its-boot").token
    foreign = tmp_path / f".last.pt.{token}-0123abcd.tmp"
    gone = tmp_path / f".last.pt.{ProcessId(2**22 + 1, 1.0).token}-0123abcd.tmp"
    for one in (foreign, gone):
        one.write_text("x")

    write_text(tmp_path / "new", "x")

    assert foreign.exists()
    assert not gone.exists()


def test_a_long_name_has_room_for_its_temporary_one(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 120 + ".csv")

    write_text(path, "x")

    assert path.read_text() == "x"


def test_file_and_folder_are_flushed_before_the_write_is_told_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    flush = os.fsync

    def note(handle: int) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        flush(handle)

    monkeypatch.setattr(os, "fsync", note)

    write_text(tmp_path / "a", "x")

    assert flushed == ["file", "folder"]


def test_a_disk_that_is_full_at_the_flush_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path / "a", "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(tmp_path / "a", "new")

    assert (tmp_path / "a").read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
