"""A video in a real browser: begun, found again after a reload, played, looked through."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clips import write_clip
from playwright.sync_api import Page, expect

from core.video import sample_film

FRAMES = 20  # at 25 a second

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_video_is_analysed_survives_a_reload_plays_and_answers_a_click(
    made_checkpoint: Callable[..., Path],
    serve: Callable[[], Any],
    page: Page,
    settled: Callable[[Page], None],
    foreign_requests: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made_checkpoint(share=0.9, weight=1.0)
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path / "cache"))
    film = write_clip(tmp_path / "film.mp4", sample_film(FRAMES, 320, 240), sound=True)
    server = serve()
    page.goto(f"{server.address}/video")

    page.locator('input[type="file"]').set_input_files(film)
    page.get_by_role("button", name="Start the analysis").click()
    page.wait_for_url("**/video?analysis=*")
    page.route("**/media/*.mp4", lambda route: None)  # never answered
    page.reload()
    expect(page.locator("video")).to_be_visible()
    room = page.locator("video").evaluate("video => video.offsetWidth / video.offsetHeight")
    assert room == pytest.approx(320 / 240, abs=0.02)  # before anything of it has come
    page.unroute_all(behavior="ignoreErrors")
    page.reload()

    player = page.locator("video")
    expect(player).to_be_visible()
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    seconds = player.evaluate("video => video.duration")
    assert seconds == pytest.approx(FRAMES / 25, abs=0.1)
    settled(page)
    expect(page.get_by_text("The frame at 0.00 s.")).to_be_visible()
    points = page.locator(".js-plotly-plot .scatterlayer .trace").nth(1).locator(".point")
    points.nth(15).click(force=True)
    expect(page.get_by_text("The frame at 0.60 s.")).to_be_visible()
    assert foreign_requests == []
    assert "Traceback" not in server.log.read_text()
