"""The log names what went wrong, but nobody's network address."""

import logging
from collections.abc import Iterator

import pytest

from webapp import errors


@pytest.fixture(autouse=True)
def _levels_restored() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in errors.TALKATIVE}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("name", ["aioice.ice", "aiortc.rtp", "streamlit_webrtc.webrtc"])
def test_addresses_of_visitors_stay_out_of_the_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    errors.set_up()

    logging.getLogger(name).info("Adding ICE candidate: 192.0.2.7")
    logging.getLogger(name).warning("Could not decode a frame")

    assert caplog.messages == ["Could not decode a frame"]


def test_our_own_words_reach_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        errors.set_up()
        logging.getLogger("webapp.live_camera.stream").info("A stream began")

    assert caplog.messages == ["A stream began"]
