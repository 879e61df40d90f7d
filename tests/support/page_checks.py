"""What is looked for on every page: errors, sideways scroll, contrast, axe, layout shift, title."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, Page

LEAST_CONTRAST, MOST_SHIFT = 4.5, 0.05
# Streamlit asks for these below the page's own address first, where there are none.
_ASKED_BY_STREAMLIT = ("/_stcore/health", "/_stcore/host-config")
_ERRORS = '[data-testid="stAlertContentError"], [data-testid="stException"]'
# Streamlit's placeholder fills the screen until the menu comes, and then stands beside it, and the
# menu pushes down what a page has put below it; and a grey bar of one height stands for any part
# whose code is on its way. No page can change that.
_NOTE_SHIFTS = """
const main = '[data-testid="stMain"], [data-testid="stMainBlockContainer"], '
  + '[data-testid="stSidebarUserContent"]';
const bar = '[data-testid="stSkeleton"]', barsWent = [], moved = [];
const holds = (node, wanted) => node?.matches?.(wanted) || node?.querySelector?.(wanted);
const endAfter = (frames, span) => requestAnimationFrame(
  now => frames > 1 ? endAfter(frames - 1, span) : span[1] = now);
new MutationObserver(changes => {
  if (!changes.some(one => [...one.removedNodes].some(node => holds(node, bar)))) return;
  barsWent.push([performance.now(), Infinity]);
  endAfter(3, barsWent.at(-1));
}).observe(document, {childList: true, subtree: true});
new PerformanceObserver(list => moved.push(...list.getEntries().filter(
  entry => !entry.hadRecentInput && !entry.sources.every(source => holds(source.node, main))
))).observe({type: "layout-shift", buffered: true});
window.shift = () => moved
  .filter(entry => !barsWent.some(([from, to]) => from <= entry.startTime && entry.startTime < to))
  .reduce((sum, entry) => sum + entry.value, 0);
"""
_WIDER_THAN_SCREEN = """
() => Math.max(0, ...[document.documentElement, ...document.querySelectorAll(
  '[data-testid="stMain"]')].map(part => part.scrollWidth - part.clientWidth))
"""
# The menu's groups of links stand in one list, which is Streamlit's own. Tables and code of
# Markdown take no tabindex; browsers by themselves let the keyboard into what scrolls.
_SERIOUS = """
async () => (await axe.run({resultTypes: ["violations"]})).violations
  .filter(one => ["serious", "critical"].includes(one.impact) && one.id != "color-contrast")
  .flatMap(one => one.nodes.map(node => [one.id, node]))
  .filter(([_, node]) => !document.querySelector(node.target[0])
    ?.closest('[data-testid="stSidebarNavItems"], [data-testid="stMarkdown"]:has(table, pre)'))
  .map(([id, node]) => id + ": " + node.html.slice(0, 200))
"""
_LOW_CONTRAST = """
async () => (await axe.run({runOnly: ["color-contrast"], resultTypes: ["violations"]}))
  .violations.flatMap(one => one.nodes).map(node => node.any[0].data)
  .map(data => data.contrastRatio + ": " + data.fgColor + " on " + data.bgColor)
"""
# axe leaves drawings out. Words inside a plot stand on its colours, those around it on the page.
_LOW_CONTRAST_OF_CHARTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => {
    const [r, g, b] = colour.map(value => value / 255)
      .map(value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = rgba(getComputedStyle(document.querySelector('[data-testid="stApp"]'))
    .backgroundColor);
  const words = ".xtick text, .ytick text, .g-xtitle text, .g-ytitle text, .g-gtitle text,"
    + " .legendtext, .legendtitletext, .cbaxis text";
  return [...document.querySelectorAll(words)].filter(text => text.textContent.trim()).map(text => {
    const style = getComputedStyle(text), fill = rgba(style.fill);
    const share = fill[3] / 255 * style.fillOpacity * style.opacity;
    const seen = [0, 1, 2].map(i => fill[i] * share + page[i] * (1 - share));
    const [low, high] = [light(seen), light(page.slice(0, 3))].sort((a, b) => a - b);
    return [(high + 0.05) / (low + 0.05), text.textContent];
  }).filter(([ratio]) => ratio < 4.5).map(([ratio, said]) => ratio.toFixed(2) + ": chart, " + said);
}
"""


@dataclass
class Watched:
    """A tab that notes what goes wrong in it.

    Attributes:
        page: The tab; nothing may have been opened in it.
        console: Errors that the browser wrote down.
    """

    page: Page
    console: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(_NOTE_SHIFTS)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))

    def _note(self, message: ConsoleMessage) -> None:
        address = message.location["url"].partition("?")[0]
        if message.type == "error" and not address.endswith(_ASKED_BY_STREAMLIT):
            self.console.append(f"{message.text} ({address})")

    def shift(self) -> float:
        """How far the layout has moved since the page was opened, input left out."""
        return float(self.page.evaluate("window.shift()"))

    def faults(self, title: str) -> list[str]:
        """What is wrong with the page as it stands, a sentence each.

        Args:
            title: That the tab should bear.
        """
        page = self.page
        found = [f"a red box: {text}" for text in page.locator(_ERRORS).all_inner_texts()]
        shown: Any = page.evaluate("[...document.images].map(one => one.src)")
        # Streamlit forgets a picture as soon as another takes its place, fetched or not.
        replaced = [
            text for text in self.console
            if "404" in text and "/media/" in text and not any(one and one in text for one in shown)
        ]  # fmt: skip
        found += [f"in the console: {text}" for text in self.console if text not in replaced]
        self.console.clear()
        wider: Any = page.evaluate(_WIDER_THAN_SCREEN)
        if wider > 1:
            found.append(f"{wider:.0f} pixels wider than the screen")
        if page.title() != title:
            found.append(f"its title is {page.title()!r}, not {title!r}")
        found += [f"contrast {text}" for text in self.low_contrast()]
        self._load_axe()
        return found + [f"axe: {text}" for text in page.evaluate(_SERIOUS)]

    def _load_axe(self) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)

    def low_contrast(self) -> list[str]:
        """Texts that stand out from their background by less than LEAST_CONTRAST."""
        self._load_axe()
        found = self.page.evaluate(_LOW_CONTRAST) + self.page.evaluate(_LOW_CONTRAST_OF_CHARTS)
        return sorted({str(text) for text in found})
