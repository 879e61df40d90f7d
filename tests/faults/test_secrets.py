"""What must not be kept: passwords for ever, visitors' films longer than promised."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.errors import ConfigError, VideoError
from core.paths import PROJECT_ROOT, is_first_process, run_root
from core.training import RunConfig, RunFolder, Search
from core.training.tuning.space import Choice, Range
from webapp import cache
from webapp.video import store

SPACE: dict[str, Choice | Range] = {"epochs": Choice((1, 2))}


def test_a_storage_with_a_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="GIMEFIVE_STORAGE_PASSWORD"):
        Search(SPACE, RunConfig(), storage="postgresql://me:secret@host/db")


def test_the_password_comes_from_the_environment_and_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_STORAGE_PASSWORD", "s/e@c")
    folder = RunFolder(tmp_path / "search")

    search = Search(SPACE, RunConfig(), storage="postgresql://me@host/db")
    search.save(folder)

    assert search.storage_url(folder) == "postgresql://me:s%2Fe%40c@host/db"
    assert "s/e@c" not in (folder.path / "study.json").read_text()
    assert search.shown_storage == "postgresql://host/db"


def test_a_password_kept_by_an_older_version_is_not_kept_on(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "search")
    Search(SPACE, RunConfig(), storage="postgresql://me@host/db").save(folder)
    path = folder.path / "study.json"
    path.write_text(path.read_text().replace("me@host", "me:secret@host"))

    assert Search.load(folder).storage == "postgresql://me@host/db"


def _old_film(cache: Path) -> Path:
    folder = cache / "videos" / ("A" * 16)
    (folder / "results").mkdir(parents=True)
    (folder / "video.mp4").write_bytes(b"face")
    (folder / "request.json").write_text(
        json.dumps({"token": "A" * 16, "title": "private.mp4", "checkpoint": "x", "several": False})
    )
    (folder / "results" / "job.json").write_text('{"state": "stopped"}')
    return folder


def _age(folder: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(folder, (then, then))


def test_a_film_is_forgotten_a_day_later_by_whoever_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path))
    folder = _old_film(tmp_path)
    _age(folder, 23)
    monkeypatch.setattr("streamlit.query_params", {"analysis": "A" * 16})
    monkeypatch.setattr("streamlit.session_state", {})

    store.forget_old()
    kept = folder.exists()
    _age(folder, 25)

    assert kept
    with pytest.raises(VideoError, match="is gone"):
        store.current()
    assert not folder.exists()


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"state": 5}', b'{"state": "running", "pid": "x"}']
)
def test_a_film_with_a_damaged_record_is_forgotten_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path))
    folder = _old_film(tmp_path)
    (folder / "results" / "job.json").write_bytes(content)
    _age(folder, 25)

    store.forget_old()

    assert not folder.exists()


def test_the_app_s_own_clock_forgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "CLOCK", 0.05)
    cache.keep_tidy.clear()
    folder = _old_film(tmp_path)
    clock = cache.keep_tidy()
    present = folder.exists()

    _age(folder, 25)
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert present
    assert clock.daemon
    assert not folder.exists()


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK"])
def test_a_malformed_number_in_the_environment_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "first")

    with pytest.raises(ConfigError, match=f"{name}='first'"):
        is_first_process()


def test_an_empty_folder_in_the_environment_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIMEFIVE_RUNS", "")

    assert run_root() == PROJECT_ROOT / "checkpoints"


def test_no_library_keeps_an_identifier_to_tell_of_our_use(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG", "CI", "GITHUB", "ORT_", "RAY_", "HF_"))
    } | {"HOME": str(home)}
    home.mkdir()

    subprocess.run(
        [sys.executable, "-c", "import core.inference.engine"],
        env=environment,
        cwd=PROJECT_ROOT,
        check=True,
    )

    assert [path for path in home.rglob("*") if path.is_file()] == []
