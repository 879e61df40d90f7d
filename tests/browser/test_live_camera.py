"""The live page in a real browser, whose camera shows a film of a public-domain photo."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from app_server import written
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from core.video import sample_film

PATIENCE_MS = 120_000  # machines that test may be busy; a free one needs a tenth
# A modest camera: browser and app share the processor with the video codecs of both.
WIDTH, HEIGHT, RATE = 320, 240, 5
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
)
NO_BOX, SOME_BOX = 60, 150  # pixels of the box's colour that compression may make, and a box has

LOOPBACK_APP = "tests.support.loopback_app"  # this machine may have no network at all

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The box of the only answer the made checkpoint gives, surprise: #56B4E9.
COUNT_BOX_PIXELS = """
() => {
  const video = document.querySelector('video');
  if (!video || !video.videoWidth) return 0;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (Math.abs(data[i] - 0x56) < 40 && Math.abs(data[i + 1] - 0xB4) < 40
        && Math.abs(data[i + 2] - 0xE9) < 40) count++;
  return count;
}
"""
LIVE_TRACKS = """
() => [...document.querySelectorAll('video')]
  .flatMap(video => video.srcObject ? video.srcObject.getTracks() : [])
  .filter(track => track.readyState === 'live').length
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wandering face as uncompressed video, which Chromium takes for a camera."""
    path = tmp_path_factory.mktemp("camera") / "face.y4m"
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420\n".encode())
        for image in sample_film(40, WIDTH, HEIGHT):
            file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


@pytest.fixture
def visitor(browser: Browser, film: Path) -> Iterator[BrowserContext]:
    """A visitor whose camera shows the film and who allows its use."""
    own = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or "/usr/bin/chromium",
        args=[*FLAGS, f"--use-file-for-fake-video-capture={film}"],
    )
    context = own.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    own.close()


def component(page: Page) -> FrameLocator:
    return page.frame_locator('iframe[title*="webrtc_streamer"]')


def in_component(page: Page, script: str) -> int:
    frames = [frame for frame in page.frames if "webrtc_streamer" in frame.url]
    return int(frames[0].evaluate(script)) if frames else 0


def box_pixels(page: Page) -> int:
    return in_component(page, COUNT_BOX_PIXELS)


def until(condition: Callable[[], bool], what: str, page: Page) -> None:
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        page.wait_for_timeout(250)


def start(page: Page, address: str) -> None:
    page.goto(f"{address}/live_camera")
    # Enlarged as the frame is, a click would be aimed beside it.
    component(page).get_by_role("button", name="START").dispatch_event("click")
    until(lambda: box_pixels(page) > SOME_BOX, "an annotated picture", page)


def switch_off(page: Page, *labels: str) -> None:
    for label in labels:
        page.get_by_test_id("stSidebar").get_by_text(label, exact=True).click()


def metric(page: Page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).inner_text().split("\n")[-1]


def test_frames_come_back_annotated_settings_act_and_stop_frees_the_camera(
    made_checkpoint: Callable[..., Path],
    serve: Callable[..., Any],
    visitor: BrowserContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("GIMEFIVE_DATA", str(data))
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")
    runs = made_checkpoint(share=0.9, weight=1.0).parent
    before = written(data, runs)
    server = serve(LOOPBACK_APP)
    page = visitor.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    start(page, server.address)
    expect(page.locator(".probability-bars")).to_be_visible()
    expect(page.locator(".live-minute img")).to_be_visible()
    expect(page.get_by_text("Surprise, ", exact=False).first).to_be_visible()
    until(lambda: metric(page, "Frames a second") not in ("", "0"), "a frame rate", page)
    switch_off(page, "Box and name")
    until(lambda: box_pixels(page) < NO_BOX, "a picture without a box", page)
    component(page).get_by_role("button", name="STOP").dispatch_event("click")
    expect(component(page).get_by_role("button", name="START")).to_be_visible()
    expect(page.get_by_role("button", name="Scores over time (CSV)")).to_be_visible()
    until(lambda: in_component(page, LIVE_TRACKS) == 0, "a camera that is off", page)

    outside = [url for url in asked if not url.startswith((server.address, "data:", "blob:"))]
    log = server.log.read_text()
    assert outside == []
    assert "Traceback" not in log
    assert "candidate" not in log.lower()  # addresses of visitors
    assert written(data, runs) == before  # of a server that is read-only


def test_two_tabs_stream_at_the_same_time(
    made_checkpoint: Callable[..., Path], serve: Callable[..., Any], visitor: BrowserContext
) -> None:
    made_checkpoint(share=0.9, weight=1.0)
    server = serve(LOOPBACK_APP)
    first, second = visitor.new_page(), visitor.new_page()

    start(first, server.address)
    start(second, server.address)
    both = lambda: min(box_pixels(first), box_pixels(second)) > SOME_BOX  # noqa: E731
    until(both, "annotated pictures in both tabs", first)

    assert "Traceback" not in server.log.read_text()


def test_no_camera_at_all_is_explained(
    made_checkpoint: Callable[..., Path], serve: Callable[..., Any], page: Page
) -> None:
    """A browser without a camera: the page stays usable and offers the single picture."""
    made_checkpoint()
    server = serve()
    page.goto(f"{server.address}/live_camera")

    component(page).get_by_role("button", name="START").dispatch_event("click")

    expect(component(page).get_by_text("NotFoundError", exact=False)).to_be_visible()
    page.get_by_text("Single picture", exact=True).click()
    expect(page.get_by_text("Take a picture", exact=False).first).to_be_visible()
