"""The main job in a real browser: a photo goes in, its explained face comes back."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from skimage.data import data_dir

from core.images import decode
from core.types import Image

PHOTO = Path(data_dir) / "astronaut.png"
FACE = (slice(60, 200), slice(160, 290))  # rows and columns around the face of the photo

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def shown_photo(page: Page) -> Image:
    """The annotated photo as the browser got it, RGB uint8 (512, 512, 3)."""
    address = page.locator('[data-testid="stImage"] img').first.evaluate("image => image.src")
    with urllib.request.urlopen(address) as answer:
        picture = decode(answer.read())
    return np.asarray(cv2.resize(picture, (512, 512), interpolation=cv2.INTER_AREA), np.uint8)


def switch(page: Page, label: str, settled: Callable[[Page], None]) -> None:
    page.get_by_test_id("stSidebar").get_by_text(label, exact=True).click()
    settled(page)


def test_an_uploaded_photo_comes_back_with_its_map_on_the_face(
    made_checkpoint: Callable[..., Path],
    serve: Callable[[], Any],
    page: Page,
    foreign_requests: list[str],
    settled: Callable[[Page], None],
) -> None:
    made_checkpoint(weight=1.0, share=0.9)
    server = serve()
    page.goto(f"{server.address}/image_explanation")
    expect(page.get_by_role("heading", name="Image explanation")).to_be_visible()

    page.locator('input[type="file"]').set_input_files(PHOTO)
    expect(page.get_by_role("heading", name="Face 1: surprise")).to_be_visible()
    settled(page)
    switch(page, "Boxes", settled)
    switch(page, "68 landmarks", settled)

    original, drawn = decode(PHOTO.read_bytes()).astype(int), shown_photo(page).astype(int)
    difference = np.abs(drawn - original).max(axis=2)
    around = np.ones(difference.shape, dtype=bool)
    around[FACE] = False
    assert np.mean(difference[FACE] > 40) > 0.05  # the map is on the face
    assert np.mean(difference[around] > 40) < 0.001  # and the rest is the photo
    assert foreign_requests == []
    assert "Traceback" not in server.log.read_text()


def test_a_closer_look_can_be_taken_away(
    made_checkpoint: Callable[..., Path],
    serve: Callable[[], Any],
    page: Page,
    settled: Callable[[Page], None],
) -> None:
    """Files are made at the click, outside of the visit's script, where its caches are closed."""
    made_checkpoint(weight=8.0)
    server = serve()
    page.goto(f"{server.address}/image_explanation?source=Sample+photo")
    expect(page.get_by_role("heading", name="Beside the textbook")).to_be_visible()
    settled(page)

    files = {}
    for kind in ("PNG", "SVG", "JSON"):
        settled(page)  # a click between two drawings is lost
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).last.click()
        files[kind] = Path(download.value.path()).read_bytes()

    assert decode(files["PNG"]).shape[1] > 1000
    assert b"without mouth" in files["SVG"]
    assert json.loads(files["JSON"])["predicted"] == "surprise"
    assert "Traceback" not in server.log.read_text()
