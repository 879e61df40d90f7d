"""A real Ray cluster of this machine: the rows of one process, whatever dies on the way."""

import os
from pathlib import Path
from threading import Event
from typing import Any

import psutil
import pytest
from scored_pictures import PART, small_request

from core.batch_inference import Request, engines, score_all
from core.batch_inference import run as run_module
from core.errors import CoreError, ImageError

# Ray warns of settings of its own.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def asked(
    run: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Request, bytes]:
    """Pictures, what is asked of them, and the rows that one process gives."""
    request = small_request(run)
    out = tmp_path_factory.mktemp("out") / "here.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "PART_FILES", PART)
        score_all([pictures], str(out), request, cluster="here")
    return pictures, request, out.read_bytes()


@pytest.fixture(autouse=True)
def no_cluster_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def _is_actor(process: psutil.Process) -> bool:
    try:
        return "_Worker" in " ".join(process.cmdline()[:1])
    except psutil.NoSuchProcess:  # it ended since it was listed, or just now
        return False


def test_a_killed_actor_costs_nothing_and_doubles_nothing(
    asked: tuple[Path, Request, bytes], tmp_path: Path
) -> None:
    pictures, request, expected = asked
    out, killed = tmp_path / "s.csv", list[int]()

    def kill_one(done: int) -> None:
        actors = [one for one in psutil.Process().children(recursive=True) if _is_actor(one)]
        if actors and not killed:
            actors[0].kill()
            killed.append(actors[0].pid)

    score_all([pictures], str(out), request, cluster="ray", workers=2, on_progress=kill_one)

    assert killed
    assert out.read_bytes() == expected


def test_a_part_that_ends_every_actor_ends_the_run_with_a_sentence() -> None:
    def deadly(number: int, *, threads: int) -> None:
        if number == 1:
            os._exit(1)

    with engines.begun("ray", 2) as work:
        done = work(4)(deadly, range(4), 2)
        with pytest.raises(CoreError, match="Part 1 ended its process 5 times"):
            sorted(done)


def test_a_node_without_the_checkpoint_is_one_sentence(
    asked: tuple[Path, Request, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, request, _ = asked

    class Elsewhere(engines._Worker):
        def __init__(self, do: engines.Do, base: str) -> None:
            from core.errors import CheckpointError

            raise CheckpointError("There is no checkpoint 'mine'.")

    monkeypatch.setattr(engines, "_Worker", Elsewhere)
    with pytest.raises(CoreError, match=r"could not do its part: There is no checkpoint 'mine'\."):
        score_all([pictures], str(tmp_path / "s.csv"), request, cluster="ray", workers=1)


def test_no_cluster_at_the_address_is_one_sentence(
    asked: tuple[Path, Request, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, request, _ = asked
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(CoreError, match=r"No Ray cluster answers at 127\.0\.0\.1:1"):
        score_all([pictures], str(tmp_path / "s.csv"), request)


def test_ray_starts_while_files_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    listed, waited = Event(), list[bool]()
    monkeypatch.setattr(engines, "_start_ray", lambda workers: waited.append(listed.wait(20)))

    with engines.begun("ray", 1):
        listed.set()

    assert waited == [True]


def test_ray_ends_where_there_is_nothing_to_list(
    asked: tuple[Path, Request, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    ended: list[bool] = []
    monkeypatch.setattr(engines, "_start_ray", lambda workers: None)
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append(True))
    (tmp_path / "empty").mkdir()

    with pytest.raises(ImageError, match="no file"):
        score_all([tmp_path / "empty"], str(tmp_path / "s.csv"), asked[1], cluster="ray")

    assert ended == [True]


def test_without_an_address_this_machine_is_a_cluster_and_gives_its_workers_full_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import ray

    given: list[dict[str, Any]] = []
    monkeypatch.setattr(ray, "init", lambda **options: given.append(options))

    engines._start_ray(2)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    engines._start_ray(2)

    here, there = given
    assert (here["address"], here["num_cpus"]) == ("local", 2)  # never one that runs here already
    assert there["address"] == "auto"
    assert "num_cpus" not in there  # those of the cluster hold
