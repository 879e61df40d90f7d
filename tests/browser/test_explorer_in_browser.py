"""From no data at all to a picture in full, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TILE = '[class*="st-key-tile-grid-"]'


def test_the_demo_is_prepared_and_one_of_its_pictures_opened(
    serve: Callable[[], Any],
    page: Page,
    settled: Callable[[Page], None],
    foreign_requests: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    server = serve()
    page.goto(f"{server.address}/dataset_explorer?view=Prepare")
    settled(page)

    page.get_by_role("button", name="Prepare the demo").click()
    page.get_by_role("button", name="Explore it").click()
    expect(page.get_by_text("says nothing about photographs")).to_be_visible()
    page.get_by_text("Pictures", exact=True).first.click()
    page.locator(f"{TILE} img").nth(23).wait_for()
    page.locator(TILE).nth(2).click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Picture 2", exact=False).first).to_be_visible()
    expect(dialog.get_by_text("As downloaded, 96 x 96")).to_be_visible()
    expect(page).to_have_url(f"{server.address}/dataset_explorer?view=Pictures&picture=2")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert foreign_requests == []
    assert "Traceback" not in server.log.read_text()
