"""What the app writes into its log, and what it keeps out."""

import logging

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# At INFO these write down the network addresses of everyone who opens the camera page.
TALKATIVE = ("aioice", "aiortc", "streamlit_webrtc")


def set_up() -> None:
    """Send the log to the terminal; visitors' addresses stay out of it."""
    # Without a handler, errors caught at the edge of a page or a video frame would leave no trace.
    logging.basicConfig(level=logging.INFO, format=FORM)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
