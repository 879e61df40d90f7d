"""Drawings by code: how a page takes them, and the way from a photo to an explained expression.

Lines are of a middle grey, so that a drawing is legible on light and dark alike.
"""

from base64 import b64encode
from html import escape
from math import cos, pi, sin

from core.labels import CLASS_SETS, COLOURS

INK = "#838A92"  # stands out at least 3.4 : 1 from white and from the dark page
# Of the colour of evidence, from strong to weak: light and dark pages both show this shade of it.
_HEAT = "#7C4DD6"
_FADING = (("0%", 0.95), ("45%", 0.7), ("75%", 0.35), ("100%", 0))


def embedded(svg: str) -> str:
    """A drawing as the address of an image: pages take no SVG elements."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def pipeline_html() -> str:
    """HTML with six drawings in a row; on narrow screens they wrap."""
    steps = (
        ("A photo", "read upright, in any common format", _photo()),
        ("68 landmarks", "on every face that is found", _landmarks()),
        ("Aligned crop", "eyes level, grey, as small as the network takes it", _crop()),
        ("Network", "convolutions learned from labelled faces", _network()),
        ("Probabilities", "one for each expression", _bars()),
        ("Map of the evidence", "which places speak for an expression", _heat()),
    )
    tiles = "".join(
        f'<figure><img src="{_embedded(drawing)}" alt=""/>'
        f"<figcaption><b>{escape(title)}</b><br>{escape(words)}</figcaption></figure>"
        for title, words, drawing in steps
    )
    return f'{_STYLE}<div class="pipeline">{tiles}</div>'


_STYLE = """<style>
.pipeline { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 16px; }
.pipeline figure { margin: 0; position: relative; }
.pipeline img { display: block; width: 100%; max-width: 150px; margin: 0 auto 6px;
  aspect-ratio: 120 / 96; }
.pipeline figcaption { text-align: center; font-size: 0.85rem; line-height: 1.35; }
.pipeline figure:not(:last-child)::after { content: "→"; position: absolute; right: -16px;
  top: 36px; opacity: 0.6; }
@media (max-width: 1000px) { .pipeline figure::after { display: none; } }
</style>"""


def _embedded(drawing: str) -> str:
    """A drawing of 120 x 96 units as the address of an image."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 96" fill="none" '
        f'stroke="{INK}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
        f"{drawing}</svg>"
    )
    return embedded(svg)


def _face(x: float, y: float, radius: float) -> str:
    """A smiling face with its middle at (x, y)."""
    r = radius
    eyes = "".join(
        f'<circle cx="{x + side * 0.38 * r:.1f}" cy="{y - 0.2 * r:.1f}" r="{0.09 * r:.1f}" '
        f'fill="{INK}" stroke="none"/>'
        f'<path d="M{x + side * 0.58 * r:.1f} {y - 0.42 * r:.1f} q{-side * 0.2 * r:.1f} '
        f'{-0.14 * r:.1f} {-side * 0.4 * r:.1f} 0"/>'
        for side in (-1, 1)
    )
    mouth = (
        f'<path d="M{x - 0.45 * r:.1f} {y + 0.3 * r:.1f} '
        f'q{0.45 * r:.1f} {0.5 * r:.1f} {0.9 * r:.1f} 0"/>'
    )
    nose = f'<path d="M{x:.1f} {y - 0.12 * r:.1f} v{0.25 * r:.1f}"/>'
    head = f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{0.85 * r:.1f}" ry="{r:.1f}"/>'
    return head + eyes + nose + mouth


def _photo() -> str:
    shoulders = '<path d="M32 86 c2 -20 14 -22 28 -22 s26 2 28 22"/>'
    return f'<rect x="14" y="10" width="92" height="76" rx="5"/>{_face(60, 44, 21)}{shoulders}'


def _landmarks() -> str:
    x, y, r = 60, 48, 34
    jaw = [(x + 0.85 * r * cos(a * pi / 8), y + r * sin(a * pi / 8)) for a in range(9)]
    brows = [(x + s * (0.2 + 0.14 * i) * r, y - 0.46 * r) for s in (-1, 1) for i in range(4)]
    mouth = [(x + (0.15 * i - 0.45) * r, y + (0.3 + 0.27 * sin(i * pi / 6)) * r) for i in range(7)]
    dots = "".join(
        f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.2" fill="#0072B2" stroke="none"/>'
        for px, py in (*jaw, *brows, *mouth)
    )
    frame = f'<rect x="22" y="8" width="76" height="80" stroke="{COLOURS["happiness"]}"/>'
    return f'<g opacity="0.55">{_face(x, y, r)}</g>{frame}{dots}'


def _crop() -> str:
    """A face that fills a coarse grid of greys."""
    cells, left, top = 18, 24.0, 12.0
    side = 72 / cells
    squares = []
    for row in range(cells):
        for column in range(cells):
            grey = _grey((column + 0.5) / cells * 2 - 1, (row + 0.5) / cells * 2 - 1)
            squares.append(
                f'<rect x="{left + column * side:g}" y="{top + row * side:g}" width="{side:g}" '
                f'height="{side:g}" fill="rgb({grey},{grey},{grey})"/>'
            )
    edge = f'<rect x="{left:g}" y="{top:g}" width="72" height="72"/>'
    return f'<g stroke="none" shape-rendering="crispEdges">{"".join(squares)}</g>{edge}'


def _grey(x: float, y: float) -> int:
    """Brightness of a face in the square from -1 to 1, lit from the upper left."""
    if (x / 0.98) ** 2 + ((y - 0.02) / 1.12) ** 2 > 1:
        return 70
    skin = 196 - 34 * (x + 0.35) ** 2 - 26 * max(y, 0.0)
    across = min(abs(x - 0.4), abs(x + 0.4))
    if across < 0.13 and abs(y + 0.22) < 0.09:  # eyes
        return 48
    if across < 0.26 and abs(y + 0.5) < 0.07:  # brows
        return 84
    if abs(x) < 0.56 and abs(y - 0.62 + 0.55 * x * x) < 0.08:  # mouth
        return 78
    if abs(x - 0.07) < 0.08 and -0.15 < y < 0.22:  # the nose's shadow
        skin -= 26
    return round(skin)


def _network() -> str:
    """Five blocks: each half as large as the one before, and deeper."""
    blocks = ((8, 62, 6), (25, 48, 9), (46, 36, 12), (70, 25, 15), (96, 16, 18))
    shapes = []
    for left, side, depth in blocks:
        top, shift = 50 - side / 2, depth * 0.5
        shapes.append(
            f'<path d="M{left} {top:g} l{shift:g} {-shift:g} h{depth * 0.5:g} v{side:g} '
            f'l{-shift:g} {shift:g} h{-depth * 0.5:g} z" fill="{INK}" fill-opacity="0.12"/>'
        )
    return "".join(shapes)


def _bars() -> str:
    lengths = (84, 22, 9, 6, 4, 7, 12)
    return "".join(
        f'<rect x="16" y="{5 + 13 * row}" width="{length}" height="8" rx="1.5" stroke="none" '
        f'fill="{COLOURS[emotion]}"/>'
        for row, (emotion, length) in enumerate(zip(CLASS_SETS["seven"], lengths, strict=True))
    )


def _heat() -> str:
    stops = "".join(
        f'<stop offset="{at}" stop-color="{_HEAT}" stop-opacity="{opacity}"/>'
        for at, opacity in _FADING
    )
    gradient = f'<defs><radialGradient id="evidence">{stops}</radialGradient></defs>'
    spot = '<ellipse cx="60" cy="63" rx="30" ry="20" fill="url(#evidence)" stroke="none"/>'
    return f"{gradient}{spot}{_face(60, 48, 36)}"
