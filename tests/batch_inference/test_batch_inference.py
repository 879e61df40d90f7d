"""Very many files: the same rows whatever happens on the way and wherever the work is done."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest
from scored_pictures import FILES, PART, small_request

from core.batch_inference import Request, engines, score_all
from core.batch_inference import run as run_module
from core.batch_inference.run import write_listing
from core.batch_inference.store import Listing, Store
from core.batch_inference.work import PartWork
from core.errors import ConfigError, CoreError, ImageError
from core.labels import EMOTIONS
from core.scoring import list_files


@pytest.fixture(scope="module")
def undisturbed(run: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    out = tmp_path_factory.mktemp("undisturbed") / "scores.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "PART_FILES", PART)
        outcome = score_all([pictures], str(out), small_request(run), cluster="here")
    assert outcome.counts["ok"] == FILES
    assert outcome.counts["unreadable"] == 2
    return out.read_bytes()


def test_the_listing_has_the_order_of_sorted_paths(pictures: Path, tmp_path: Path) -> None:
    store = Store(str(tmp_path / "parts"))
    given = [pictures / "lost.png", pictures]

    count = write_listing(given, store)

    found = Listing(store)
    listed = [path for number in range(found.parts) for path in found.part(number)]
    visible = sorted(p for p in pictures.rglob("*") if not p.is_dir() and p.name != ".hidden")
    visible.remove(pictures / "lost.png")
    assert listed == [pictures / "lost.png", *visible] == list_files(given)
    assert count == found.files == FILES + 2
    assert [found.size(number) for number in range(found.parts)] == [4] * 8


def test_nothing_to_list_is_refused(tmp_path: Path, run: Path) -> None:
    (tmp_path / "empty").mkdir()
    out = str(tmp_path / "scores.csv")
    with pytest.raises(ImageError, match="no file"):
        score_all([tmp_path / "empty"], out, small_request(run))
    with pytest.raises(ImageError, match="does not exist"):
        score_all([tmp_path / "nowhere"], out, small_request(run))


def test_a_run_leaves_its_file_and_nothing_else(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    steps: list[int] = []

    score_all(
        [pictures],
        str(tmp_path / "s.csv"),
        small_request(run),
        cluster="here",
        on_progress=steps.append,
    )  # fmt: skip

    assert [path.name for path in tmp_path.iterdir()] == ["s.csv"]
    assert steps == [4, 8, 12, 16, 20, 24, 28, 32]
    rows = list(csv.DictReader(undisturbed.decode().splitlines()))
    assert [row["filepath"] for row in rows] == [str(path) for path in list_files([pictures])]


class KilledError(Exception):
    """Stands for the end of the process."""


def test_an_interrupted_run_goes_on_with_what_is_missing(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, done = tmp_path / "s.csv", list[int]()

    def stop_after(parts: int) -> None:
        whole = PartWork.__call__

        def one(asked: PartWork, number: int, **options: int) -> int:
            if len(done) == parts:
                raise KilledError
            done.append(number)
            return whole(asked, number, **options)

        monkeypatch.setattr(PartWork, "__call__", one)

    stop_after(3)
    with pytest.raises(KilledError):
        score_all([pictures], str(out), small_request(run), cluster="here")
    assert not out.exists()
    monkeypatch.undo()
    monkeypatch.setattr(run_module, "PART_FILES", PART)
    stop_after(99)
    (pictures / "a" / "later.png").write_text("not listed at first")
    try:
        outcome = score_all([pictures], str(out), small_request(run), cluster="here")
    finally:
        (pictures / "a" / "later.png").unlink()

    assert done == list(range(8))
    assert outcome.kept == 12
    assert out.read_bytes() == undisturbed


def test_a_damaged_part_is_done_again(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.csv"
    monkeypatch.setattr("core.batch_inference.run._joined", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        score_all([pictures], str(out), small_request(run), cluster="here")
    monkeypatch.undo()
    monkeypatch.setattr(run_module, "PART_FILES", PART)
    (part,) = (tmp_path / ".s.csv.parts").glob("part-0000002-*")
    part.write_bytes(part.read_bytes()[:-9])

    outcome = score_all([pictures], str(out), small_request(run), cluster="here")

    assert (outcome.kept, outcome.damaged) == (28, 1)
    assert out.read_bytes() == undisturbed


def test_parts_of_another_run_are_neither_used_nor_lost(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = str(tmp_path / "s.csv")
    monkeypatch.setattr("core.batch_inference.run._joined", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        score_all([pictures], out, small_request(run), cluster="here")
    monkeypatch.undo()
    other = Request(str(run), "torch", "auto")

    with pytest.raises(CoreError, match=r"holds 8 parts of another run \(other faces\)"):
        score_all([pictures], out, other, cluster="here")
    assert score_all([pictures], out, other, cluster="here", restart=True).kept == 0


def test_parquet_holds_the_rows_of_the_csv(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    out = tmp_path / "s.parquet"

    outcome = score_all([pictures], str(out), small_request(run, ".parquet"), cluster="here")

    rows = list(csv.DictReader(undisturbed.decode().splitlines()))
    found = pq.read_table(out).to_pylist()
    assert outcome.counts["ok"] == FILES
    assert [row["filepath"] for row in found] == [row["filepath"] for row in rows]
    for label in EMOTIONS:
        assert [row[label] for row in found] == [
            float(r[label]) if r[label] else None for r in rows
        ]
    assert [row["error"] for row in found] == [row["error"] for row in rows]


def test_an_address_keeps_a_folder_of_parquet_files_that_is_gone_on_with(
    run: Path, pictures: Path
) -> None:
    out = "memory://results/scores.parquet"

    first = score_all([pictures], out, small_request(run, ".parquet"), cluster="here")
    again = score_all([pictures], out, small_request(run, ".parquet"), cluster="here")

    files = fsspec.filesystem("memory")
    names = sorted(path.rpartition("/")[2] for path in files.ls("/results/scores.parquet", False))
    assert names[:3] == ["_SUCCESS", "_files.parquet", "_request.json"]
    assert len(names) == 3 + 8
    assert (first.kept, again.kept) == (0, FILES + 2)
    assert first.counts == again.counts


def test_an_unknown_kind_of_address_is_one_sentence(run: Path, pictures: Path) -> None:
    with pytest.raises(CoreError, match=r"nowhere://x\.parquet cannot be reached"):
        score_all([pictures], "nowhere://x.parquet", small_request(run, ".parquet"))


def test_processes_give_the_same_rows(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    out = tmp_path / "s.csv"

    score_all([pictures], str(out), small_request(run), cluster="processes", workers=2)

    assert out.read_bytes() == undisturbed


def test_a_killed_process_costs_nothing_and_doubles_nothing(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    """A worker kills itself at its second part, once."""
    code = """
import os, signal, sys
from pathlib import Path
from core.batch_inference import Request, run, score_all
from core.batch_inference.work import PartWork
run.PART_FILES = 4
mark = Path(sys.argv[4])
whole, count = PartWork.__call__, []

def one(*arguments, **options):
    count.append(1)
    if len(count) == 2 and not mark.exists():
        mark.write_text("killed")
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments, **options)

PartWork.__call__ = one
if __name__ == "__main__":
    score_all([Path(sys.argv[2])], sys.argv[3], Request(sys.argv[1], "torch", "whole"),
              cluster="processes", workers=1)
"""
    script, out, mark = tmp_path / "go.py", tmp_path / "s.csv", tmp_path / "mark"
    script.write_text(code)
    subprocess.run(
        [sys.executable, script, run, pictures, out, mark], check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip

    assert mark.exists()
    assert out.read_bytes() == undisturbed


def test_a_part_that_ends_every_process_is_told(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(ProcessPoolExecutor):
        def submit(self, *_: object, **__: object) -> Future[int]:  # type: ignore[override]
            future: Future[int] = Future()
            future.set_exception(BrokenProcessPool("gone"))
            return future

    monkeypatch.setattr(engines, "ProcessPoolExecutor", Broken)
    with pytest.raises(CoreError, match="ended its process 5 times"):
        score_all([pictures], str(tmp_path / "s.csv"), small_request(run), cluster="processes")


def test_a_part_that_a_broken_pool_did_not_take_is_done_by_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submitted: list[int] = []

    class Breaking(ThreadPoolExecutor):
        def __init__(self, count: int, *_: object) -> None:
            super().__init__(count)

        def submit(self, do: Callable[..., int], *given: int, **_: object) -> Future[int]:  # type: ignore[override]
            submitted.append(given[0])
            if len(submitted) == 2:
                raise BrokenProcessPool("gone")
            return super().submit(do, *given)

    monkeypatch.setattr(engines, "ProcessPoolExecutor", Breaking)

    assert sorted(set(engines._processes(lambda part: part, [0, 1, 2, 3], 1))) == [0, 1, 2, 3]


def test_what_is_not_installed_or_unknown_is_one_sentence(
    run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = str(tmp_path / "s.csv")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'gimefive-studio\[cluster\]'"):
        score_all([pictures], out, small_request(run), cluster="ray")
    with pytest.raises(ConfigError, match="expected auto, here, processes or ray"):
        score_all([pictures], out, small_request(run), cluster="abacus")  # type: ignore[arg-type]
    monkeypatch.setenv("RAY_ADDRESS", "somewhere:6379")
    with pytest.raises(ConfigError, match="RAY_ADDRESS asks for it"):
        score_all([pictures], out, small_request(run))


def test_a_kill_at_any_file_that_is_written_leaves_the_undisturbed_rows(
    run: Path, pictures: Path, tmp_path: Path, undisturbed: bytes
) -> None:
    """The n-th run is killed before its n-th file is renamed, until one comes to its end."""
    code = """
import os, signal, sys
from pathlib import Path
from core.batch_inference import Request, run, score_all
import core.predict, core.explain, core.models
run.PART_FILES = 4
rename, kills = Path.replace, 0

def killed_at(last):
    left = [last]
    def one(self, target):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)
    return one

while not Path(sys.argv[3]).exists():
    child = os.fork()
    if not child:
        Path.replace = killed_at(1 + kills % 3)
        score_all([Path(sys.argv[2])], sys.argv[3], Request(sys.argv[1], "torch", "whole"),
                  cluster="here")
        os._exit(0)
    kills += os.waitpid(child, 0)[1] == signal.SIGKILL
print(kills)
"""
    out = tmp_path / "s.csv"
    said = subprocess.run(
        [sys.executable, "-c", code, run, pictures, out], check=True, capture_output=True
    )

    assert int(said.stdout) >= 10
    assert out.read_bytes() == undisturbed


def test_a_process_that_shares_its_machine_loads_no_torch_and_gives_it_one_thread() -> None:
    code = (
        "import sys; from core.batch_inference import engines; engines._quiet()\n"
        "print('torch' in sys.modules)\n"
        "import cv2, torch\n"
        "print(cv2.getNumThreads(), torch.get_num_threads())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )

    assert done.stdout.split() == ["False", "1", "1"]
