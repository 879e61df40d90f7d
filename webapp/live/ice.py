"""Servers that help browser and app to find each other across networks; none by default."""

import json
from typing import Any

import streamlit as st

from core import ConfigError
from core.paths import ice_servers as ice_servers_of_environment

SECRET = "ice_servers"
_FORM = (
    'Expected a list such as [{"urls": ["turn:example.org:3478"], "username": "u", '
    '"credential": "p"}].'
)


def ice_servers() -> list[dict[str, Any]]:
    """STUN and TURN servers from Streamlit's secrets (`ice_servers`), else the environment's.

    An empty list is an answer too: it keeps the component from asking a public server. TURN
    credentials reach every browser that opens the page, so they should be short-lived.

    Raises:
        ConfigError: The setting is no list of servers.
    """
    if st.secrets.load_if_toml_exists() and SECRET in st.secrets:
        return checked_servers([dict(server) for server in st.secrets[SECRET]])
    try:
        return checked_servers(json.loads(ice_servers_of_environment()))
    except json.JSONDecodeError as error:
        raise ConfigError(f"GIMEFIVE_ICE_SERVERS is no JSON ({error}). {_FORM}") from error


def checked_servers(servers: object) -> list[dict[str, Any]]:
    """The servers, if they have the form WebRTC wants.

    Raises:
        ConfigError: They have not.
    """
    if not isinstance(servers, list):
        raise ConfigError(f"The ICE servers are {type(servers).__name__}, no list. {_FORM}")
    for server in servers:
        if not isinstance(server, dict) or "urls" not in server:
            raise ConfigError(f"An ICE server has no urls. {_FORM}")
    return servers
