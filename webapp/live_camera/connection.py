"""How the browser's camera reaches the server, and why it may not."""

import ipaddress
import json
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import streamlit as st

from core import ConfigError
from core.paths import ice_servers as ice_servers_of_environment

if TYPE_CHECKING:
    from streamlit_webrtc import WebRtcStreamerContext

SECRET = "ice_servers"
_FORM = (
    'Expected a list such as [{"urls": ["turn:example.org:3478"], "username": "u", '
    '"credential": "p"}].'
)
# RFC 8863: so long must a connection be tried before it may be called failed. aiortc never gives up
# one to which the browser sends nothing, such as that of a tab closed meanwhile.
FAILED_AFTER = 39.5  # seconds
WAIT = 8.0  # seconds of connecting that need no comment
_LOCAL = {"localhost", "127.0.0.1", "::1"}
NO_SECURE_PAGE = (
    "The browser gives a page the camera only over https, or from this machine itself "
    "(localhost). Open the app through a secure address."
)
NO_NETWORK = (
    "This machine has no network besides its own loopback, and browsers offer no video connection "
    "over that. Switch on Wi-Fi or any network, even one without internet."
)
NO_ROUTE = (
    "Browser and app do not find a way to each other. Across networks, or through a firewall, a "
    "TURN server is needed (see the README); on one machine or network none is."
)
NO_CAMERA = (
    "Has the browser asked for the camera? Allow it in the address bar, and close other programs "
    "that use the camera."
)
NO_FRAMES = "The connection stands, but no picture comes. Press STOP, then START again."
SNAPSHOT = "Meanwhile, **Single picture** above works without a video connection."


def ice_servers() -> list[dict[str, Any]]:
    """STUN and TURN servers from Streamlit's secrets (`ice_servers`), else the environment's.

    An empty list is an answer too: it keeps the component from asking a public server. TURN
    credentials reach every browser that opens the page, so they should be short-lived.

    Raises:
        ConfigError: The setting is no list of servers.
    """
    if st.secrets.load_if_toml_exists() and SECRET in st.secrets:
        found = st.secrets[SECRET]
        servers = list(found) if isinstance(found, (list, tuple)) else found
        return checked_servers(servers)
    try:
        return checked_servers(json.loads(ice_servers_of_environment()))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"GIMEFIVE_ICE_SERVERS is no JSON ({error}). {_FORM}") from error


def checked_servers(servers: object) -> list[dict[str, Any]]:
    """The servers, if they have the form WebRTC wants.

    Raises:
        ConfigError: They have not.
    """
    if not isinstance(servers, list):
        raise ConfigError(f"The ICE servers are {type(servers).__name__}, no list. {_FORM}")
    for server in servers:
        if not isinstance(server, Mapping) or "urls" not in server:
            raise ConfigError(f"An ICE server has no urls. {_FORM}")
    return [dict(server) for server in servers]


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known of the connection.

    Attributes:
        url: Address of the page in the browser.
        playing: Whether the video connection stands.
        seconds: Since the visitor pressed START, or since the connection stood; None for neither.
        frames: Received since then.
        outside_servers: Whether STUN or TURN servers are set.
    """

    url: str
    playing: bool = False
    seconds: float | None = None
    frames: int = 0
    outside_servers: bool = False


_watched: "weakref.WeakSet[Any]" = weakref.WeakSet()


def give_up_unanswered(context: "WebRtcStreamerContext[Any, Any]") -> None:
    """See to it that a connection which does not come about is closed, with its sockets.

    Args:
        context: Of the stream, at every run of the page.
    """
    worker = context._get_worker()  # nothing public leads to the connection
    if worker is None or worker in _watched:
        return
    _watched.add(worker)
    clock = threading.Timer(FAILED_AFTER, _close_unanswered, [weakref.ref(worker)])
    clock.daemon = True
    clock.start()


def _close_unanswered(reference: "weakref.ref[Any]") -> None:
    worker = reference()
    if worker is not None and worker.pc.iceConnectionState in ("new", "checking"):
        worker.stop()


def advice(connection: Connection, *, network: bool) -> list[str]:
    """Sentences for the visitor, most likely cause first; none where all is well.

    Args:
        connection: What is known.
        network: Whether there is a network interface besides loopback.
    """
    if not is_secure(connection.url):
        return [NO_SECURE_PAGE, SNAPSHOT]
    if connection.seconds is None or connection.seconds < WAIT:
        return []
    if connection.playing:
        return [] if connection.frames else [NO_FRAMES, SNAPSHOT]
    found = [NO_CAMERA]
    if not network:
        found.insert(0, NO_NETWORK)
    elif not connection.outside_servers or not _is_local(connection.url):
        found.append(NO_ROUTE)
    return [*found, SNAPSHOT]


def is_secure(url: str) -> bool:
    """Whether browsers give a page at this address the camera."""
    return urlsplit(url).scheme == "https" or _is_local(url) or not url


def has_network() -> bool:
    """Whether an interface other than loopback is up with an address."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            if name in up and _is_reachable(address.address.split("%")[0]):
                return True
    return False


def _is_reachable(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_loopback
    except ValueError:  # the address of a network card, not of the internet
        return False


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in _LOCAL or host.endswith(".localhost")
