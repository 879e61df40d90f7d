"""Who lives and who holds what, whatever the clock says."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.process import Claim, ProcessId
from core.training import RunConfig, RunFolder, observe
from core.training.records import Records

HOLD = (
    "import sys; from pathlib import Path; from core.process import Claim\n"
    "claim = Claim(Path(sys.argv[1])); print(claim.acquire(), flush=True); input()"
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.communicate(b"\n")


@pytest.fixture
def clock_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wall clock was set forward by five seconds, and with it all that is told by it."""
    began = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + 5)


@pytest.mark.usefixtures("clock_forward")
def test_a_step_of_the_clock_ends_no_run(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create(RunConfig())
    folder.set_status("running", **ProcessId.of(sleeper.pid).to_json())

    assert observe(folder).state == "running"
    with pytest.raises(Exception, match="is running already, in process"):
        Records(folder).refuse_company()


@pytest.mark.usefixtures("clock_forward")
def test_a_claim_of_an_earlier_version_is_believed_through_a_step_of_the_clock(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    began = psutil.Process(sleeper.pid).create_time() - 5
    (tmp_path / ".claim").write_text(f"{sleeper.pid} {began}")

    assert not Claim(tmp_path / ".claim").acquire()


def test_how_long_a_process_lives(sleeper: subprocess.Popen[bytes]) -> None:
    began = psutil.Process(sleeper.pid).create_time()
    process, before = ProcessId.of(sleeper.pid), time.monotonic()
    young = process.age
    time.sleep(0.3)

    # By a clock that nobody sets: the time of day may be put right between two looks.
    assert 0 <= young < 60
    assert process.age - young == pytest.approx(time.monotonic() - before, abs=0.05)
    assert ProcessId(sleeper.pid, began).age == pytest.approx(time.time() - began, abs=0.5)
    assert ProcessId(0, 0.0).age == 0.0


def test_a_later_process_of_the_same_number_is_another(sleeper: subprocess.Popen[bytes]) -> None:
    now = ProcessId.of(sleeper.pid)

    assert now.is_alive()
    assert not ProcessId(now.pid, now.created + 0.01, now.host, now.boot).is_alive()
    assert not ProcessId(now.pid, now.created, now.host, "an earlier boot").is_alive()
    assert ProcessId.from_json(json.loads(json.dumps(now.to_json()))) == now


def test_a_claim_ends_with_its_holder_however_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "claim"
    claim = Claim(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert claim.is_held()
        assert not claim.acquire()
        assert claim.holder()["pid"] == other.pid
        other.kill()

    assert not claim.is_held()
    assert claim.acquire()
    claim.release()
    assert not path.exists()


def test_of_many_threads_one_at_a_time_holds_a_claim(tmp_path: Path) -> None:
    inside, most, taken = 0, 0, 0
    counting = threading.Lock()

    def work() -> None:
        nonlocal inside, most, taken
        claim, mine = Claim(tmp_path / "claim"), 0
        while mine < 25:
            if claim.acquire():
                mine += 1
                with counting:
                    inside += 1
                    most, taken = max(most, inside), taken + 1
                with counting:
                    inside -= 1
                claim.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert most == 1
    assert taken == 100
