"""Servers between browser and app, and what to say when the two do not meet."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from core import ConfigError
from webapp.live_camera import connection
from webapp.live_camera.connection import (
    Connection,
    advice,
    checked_servers,
    give_up_unanswered,
    has_network,
    ice_servers,
    is_secure,
)

TURN = [{"urls": ["turn:turn.example.org:3478"], "username": "u", "credential": "p"}]


class Secrets(dict[str, object]):
    def load_if_toml_exists(self) -> bool:
        return bool(self)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    found = Secrets()
    monkeypatch.setattr(st, "secrets", found)
    monkeypatch.delenv("GIMEFIVE_ICE_SERVERS", raising=False)
    return found


def test_without_a_setting_no_server_is_asked() -> None:
    assert ice_servers() == []


def test_servers_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIMEFIVE_ICE_SERVERS", json.dumps(TURN))

    assert ice_servers() == TURN


def test_secrets_come_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    monkeypatch.setenv("GIMEFIVE_ICE_SERVERS", '[{"urls": "stun:other.example.org"}]')
    secrets["ice_servers"] = TURN

    assert ice_servers() == TURN


@pytest.mark.parametrize("text", ["turn:example.org", '{"urls": "x"}', '["x"]', '[{"url": "x"}]'])
def test_a_setting_of_another_form_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GIMEFIVE_ICE_SERVERS", text)

    with pytest.raises(ConfigError, match="Expected a list such as"):
        ice_servers()


@pytest.mark.parametrize("value", ["stun:a.example.org", ["stun:a.example.org"], {"urls": "x"}])
def test_a_secret_of_another_form_is_refused(secrets: Secrets, value: object) -> None:
    secrets["ice_servers"] = value

    with pytest.raises(ConfigError, match="Expected a list such as"):
        ice_servers()


def test_servers_are_checked() -> None:
    assert checked_servers(TURN) == TURN


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://app.example.org/live", True),
        ("http://localhost:8501/live", True),
        ("http://127.0.0.1:8501", True),
        ("http://[::1]:8501", True),
        ("http://192.0.2.7:8501", False),
        ("http://app.example.org", False),
    ],
)
def test_the_camera_needs_a_secure_page(url: str, secure: bool) -> None:
    assert is_secure(url) == secure
    assert (connection.NO_SECURE_PAGE in advice(Connection(url), network=True)) != secure


HERE = "http://localhost:8501"


def test_while_all_is_well_nothing_is_said() -> None:
    assert advice(Connection(HERE), network=True) == []
    assert advice(Connection(HERE, seconds=3.0), network=True) == []
    assert advice(Connection(HERE, playing=True, seconds=60.0, frames=900), network=True) == []


def test_a_connection_that_takes_too_long_has_its_likely_causes_named() -> None:
    alone = advice(Connection(HERE, seconds=20.0), network=False)
    far = advice(Connection("https://app.example.org", seconds=20.0), network=True)

    assert alone == [connection.NO_NETWORK, connection.NO_CAMERA, connection.SNAPSHOT]
    assert far == [connection.NO_CAMERA, connection.NO_ROUTE, connection.SNAPSHOT]


def test_a_connection_without_a_picture_is_noticed() -> None:
    silent = advice(Connection(HERE, playing=True, seconds=20.0, frames=0), network=True)

    assert silent == [connection.NO_FRAMES, connection.SNAPSHOT]


@pytest.mark.parametrize(("address", "expected"), [("127.0.0.1", False), ("192.0.2.2", True)])
def test_loopback_alone_is_no_network(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: bool
) -> None:
    card = SimpleNamespace(address="00:00:00:00:00:00")
    monkeypatch.setattr(
        "psutil.net_if_addrs", lambda: {"eth0": [card, SimpleNamespace(address=address)]}
    )
    monkeypatch.setattr("psutil.net_if_stats", lambda: {"eth0": SimpleNamespace(isup=True)})

    assert has_network() == expected


class Worker:
    """A connection in some state, which tells when it is stopped."""

    def __init__(self, state: str) -> None:
        self.pc = SimpleNamespace(iceConnectionState=state)
        self.stopped = threading.Event()
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1
        self.stopped.set()


def context_of(worker: Worker | None) -> Any:  # noqa: ANN401 - stands for the component's
    return SimpleNamespace(_get_worker=lambda: worker)


def test_a_connection_that_is_never_answered_is_closed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "FAILED_AFTER", 0.05)
    waiting, standing = Worker("checking"), Worker("completed")

    for worker in (waiting, standing, waiting, None):  # the page runs again and again
        give_up_unanswered(context_of(worker))

    assert waiting.stopped.wait(10)
    assert not standing.stopped.wait(0.3)
    assert waiting.stops == 1
