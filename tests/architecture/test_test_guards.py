"""The guards of conftest.py hold: what a test does to the process is undone, and no test goes out.

The pairs below run in the order of the file: one leaves a trace, the next looks for it.
"""

import logging
import os
import random
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core import paths

FOREIGN = ("192.0.2.1", 80)  # reserved for documentation (RFC 5737): nothing answers there


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_connections_to_other_machines_are_refused(method: str) -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match="without network"):
        getattr(client, method)(FOREIGN)


def test_datagrams_to_other_machines_are_refused() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as client,
        pytest.raises(RuntimeError, match="without network"),
    ):
        client.sendto(b"hello", FOREIGN)


def test_names_of_other_machines_are_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match="without network"):
        socket.create_connection(("example.org", 80), timeout=1)


def test_loopback_connections_work() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(("localhost", server.getsockname()[1]), timeout=5)
        peer, _ = server.accept()
        with client, peer:
            client.sendall(b"hello")

            assert peer.recv(5) == b"hello"


def test_files_of_long_tests_come_first(request: pytest.FixtureRequest) -> None:
    tests = Path(__file__).parents[1]
    conftest: Any = request.config.pluginmanager.get_plugin(str(tests / "conftest.py"))
    long: tuple[str, ...] = conftest.LONG
    begun = list(dict.fromkeys(item.path for item in request.session.items))

    assert all((tests / name).is_file() for name in long)
    wanted = [tests / name for name in long if tests / name in begun]
    assert begun[: len(wanted)] == wanted


def test_data_and_cache_lie_in_temporary_folders(tmp_path: Path) -> None:
    session_folder = tmp_path.parent

    assert paths.data_root().is_relative_to(session_folder)
    assert paths.cache_root().is_relative_to(session_folder)


def test_own_runs_stand_for_the_shipped_ones(own_runs: Path) -> None:
    assert paths.run_root() == own_runs.resolve()
    assert list(own_runs.iterdir()) == []


BEFORE: dict[str, object] = {}


def global_state() -> dict[str, object]:
    return {
        "folder": Path.cwd(),
        "variable": os.environ.get("A_TRACE"),
        "dice": random.getstate(),
        "numpy dice": np.random.get_state()[1].tolist(),  # type: ignore[index]  # noqa: NPY002
        "torch dice": torch.get_rng_state().tolist(),
        "gradients": torch.is_grad_enabled(),
        "dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "log level": logging.getLogger().level,
    }


def test_a_test_may_leave_traces(tmp_path: Path) -> None:
    BEFORE.update(global_state())

    os.environ["A_TRACE"] = "1"
    os.chdir(tmp_path)
    random.random()
    np.random.random()  # noqa: NPY002 - the global generator is what is tested
    torch.rand(1)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1 + torch.get_num_threads())
    logging.getLogger().setLevel(logging.DEBUG)

    after = global_state()
    assert [key for key in BEFORE if after[key] == BEFORE[key]] == []


def test_the_next_one_finds_none() -> None:
    after = global_state()

    assert [key for key in BEFORE if after[key] != BEFORE[key]] == []
