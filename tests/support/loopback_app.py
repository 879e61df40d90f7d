"""Streamlit, whose video connections also work on a machine without any network.

aioice leaves the loopback out of the addresses that it offers to the browser, and where there is no
other none is left: then it is offered after all. Chromium takes part only with
`--allow-loopback-in-peer-connection`. Started like Streamlit, from the project's root:

    python -m tests.support.loopback_app run webapp/Home.py
"""

import sys

import aioice.ice
from streamlit.web.cli import main

LOOPBACK = "127.0.0.1"
_found = aioice.ice.get_host_addresses


def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """What aioice finds; the loopback where that is nothing."""
    return _found(use_ipv4, use_ipv6) or [LOOPBACK]


if __name__ == "__main__":
    aioice.ice.get_host_addresses = addresses
    sys.exit(main())
