"""Lines that move with the stream, as plain SVG.

A chart of plotly takes a browser longer to draw than two updates are apart; these take none.
"""

from base64 import b64encode
from collections.abc import Sequence

from core.labels import colour
from webapp.live_camera.history import SPAN, FaceHistory

WIDTH, HEIGHT = 600, 200  # units of the drawing, which is scaled to the page
INK = "#838A92"  # stands out from white and from the dark page
_MARKS = (0, 15, 30, 45, 60)  # seconds ago
_TEXT = "font-size:0.8rem;opacity:0.75"


def minute(history: FaceHistory, labels: Sequence[str], now: float) -> str:
    """HTML with an SVG: probabilities of the last minute, newest on the right.

    Args:
        history: Of one face.
        labels: Class names, in the order of its rows.
        now: The second at the right edge.
    """
    lines = "".join(
        f'<polyline points="{points}" stroke="{colour(label)}" stroke-width="2"/>'
        for index, label in enumerate(labels)
        for points in _pieces(history, index, now)
    )
    grid = "".join(
        f'<path d="M0 {y}H{WIDTH}" stroke="{INK}" opacity="0.4"/>' for y in (0, HEIGHT // 2, HEIGHT)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -2 {WIDTH} {HEIGHT + 4}" '
        f'fill="none" stroke-linejoin="round">{grid}{lines}</svg>'
    )
    ago = "".join(f"<span>{mark} s</span>" for mark in reversed(_MARKS))
    return (
        '<div class="live-minute"><img decoding="sync" style="width:100%;display:block" '
        f'alt="Probabilities of the last minute" src="{embedded(svg)}"/>'
        f'<div style="display:flex;justify-content:space-between;{_TEXT}">{ago}</div>'
        f'<div style="{_TEXT}">seconds ago; from 0 to 100 %, colours as above</div></div>'
    )


def embedded(svg: str) -> str:
    """A drawing as the address of an image: pages take no SVG elements."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _pieces(history: FaceHistory, index: int, now: float) -> list[str]:
    """The unbroken stretches of one class's line, each as a list of points."""
    pieces: list[list[str]] = [[]]
    for time, row in zip(history.times, history.rows, strict=True):
        if row is None:
            pieces.append([])
            continue
        x = WIDTH * (1 - (now - time) / SPAN)
        pieces[-1].append(f"{x:.1f},{HEIGHT * (1 - row[index]):.1f}")
    return [" ".join(points) for points in pieces if len(points) > 1]
