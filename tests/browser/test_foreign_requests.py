"""Nothing leaves the machine: pages ask no other server for anything, and browsers would refuse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request

from core.checkpoints import SHIPPED
from webapp import navigation

pytestmark = pytest.mark.browser
EVIL = '![t](http://127.0.0.1:9/x.png) <img src="http://127.0.0.1:9/y.png">'
LATE = """() => new Promise(told => {
  document.addEventListener("securitypolicyviolation", event => told(event.blockedURI));
  const picture = new Image();
  picture.src = "http://127.0.0.1:9/z.png";
  setTimeout(() => told("nothing"), 5000);
})"""


def test_pages_load_nothing_from_elsewhere(
    page: Page, serve: Callable[..., Any], settled: Callable[[Page], None], own_runs: Path
) -> None:
    folder = Path(shutil.copytree(SHIPPED / "gimefive-rafdb", own_runs / "strange"))
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"title": EVIL, "licence": EVIL}))
    server = serve()
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    for entry in navigation.present():
        name = "" if entry is navigation.HOME else entry.name
        page.goto(f"{server.address}/{name}?checkpoint=strange")
        settled(page)
    hosts = {urlsplit(url).netloc for url in asked if url.startswith(("http", "ws"))}
    refused = page.evaluate(LATE)

    assert hosts == {urlsplit(server.address).netloc}
    assert refused == "http://127.0.0.1:9/z.png"
