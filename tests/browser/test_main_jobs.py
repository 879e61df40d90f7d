"""The ten main jobs walked on generated data, wide and narrow, light and dark."""

import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clips import write_clip
from evaluated_run import prepared, write_pictures, write_run
from page_checks import MOST_SHIFT, Watched
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TooLate
from training_pages import trained

from core.checkpoints import DEFAULT_CHECKPOINT
from core.video import sample_film
from webapp.navigation import APP, HOME, present

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

WIDE, NARROW = (1440, 1000), (390, 844)
PLAYS = "document.querySelector('video')?.readyState >= 2"


@dataclass(frozen=True)
class World:
    """A running app, and files to give it.

    Attributes:
        address: Of the app.
        film: A video of a face.
        pictures: A zip of labelled pictures.
        reached: Addresses of results that were made once, by job.
    """

    address: str
    film: Path
    pictures: Path
    reached: dict[str, str]


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory,
    serve_shared: Callable[..., AbstractContextManager[Any]],
) -> Iterator[World]:
    """Generated pictures, two measured networks, two runs with curves, and the app on them."""
    root = tmp_path_factory.mktemp("jobs")
    settings = {f"GIMEFIVE_{name.upper()}": str(root / name) for name in ("data", "runs", "cache")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        data = prepared(root / "data")
        write_run(root / "runs" / DEFAULT_CHECKPOINT, data)
        write_run(root / "runs" / "second", data, blur=17.0)
        trained(root / "runs", "first-try", 0.3, 0.6, 0.55, data=data.name)
        trained(root / "runs", "longer-try", 0.4, 0.7, 0.75, data=data.name)
        film = write_clip(root / "film.mp4", sample_film(12, 320, 240))
        with serve_shared(root / "server.log", **settings) as server:
            yield World(server.address, film, zipped(root), {})
        assert "Traceback" not in (root / "server.log").read_text()


def zipped(root: Path) -> Path:
    """Labelled pictures as a zip."""
    folder = write_pictures(root / "own") / "test"
    archive = root / "own.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for picture in sorted(folder.rglob("*.png")):
            file.write(picture, os.fspath(picture.relative_to(folder)))
    return archive


@dataclass(frozen=True)
class Job:
    """Something people come for.

    Attributes:
        address: Below the app's.
        title: Of the page.
        reach: Does what leads from there to the main result, and waits for it.
    """

    address: str
    title: str
    reach: Callable[[Page, World], None]


def sees(text: str) -> Callable[[Page, World], None]:
    """The result is there as soon as this is read."""
    return lambda page, _: expect(page.get_by_text(text, exact=False).first).to_be_visible()


def see_camera(page: Page, world: World) -> None:
    frame = page.frame_locator('iframe[title*="webrtc_streamer"]')
    expect(frame.get_by_role("button", name="START")).to_be_visible()


def analyse_film(page: Page, world: World) -> None:
    if "analysis=" not in page.url:
        page.locator('input[type="file"]').set_input_files(world.film)
        page.get_by_role("button", name="Start the analysis").click()
        page.wait_for_url("**/video?analysis=*")
    page.wait_for_function(PLAYS)


def score_folder(page: Page, world: World) -> None:
    if "result=" not in page.url:
        page.get_by_text("Upload files or a zip", exact=True).click()
        page.locator('input[type="file"]').first.set_input_files(world.pictures)
        page.get_by_role("button", name="Score the pictures").click()
    expect(page.get_by_role("button", name="Scores (CSV)")).to_be_visible()


def prepare_own(page: Page, world: World) -> None:
    if "view=Prepare" in page.url:
        page.locator('input[type="file"]').set_input_files(world.pictures)
        page.get_by_role("button", name="Prepare", exact=True).click()
        page.get_by_role("button", name="Explore it").click()
    expect(page.get_by_text("Class balance")).to_be_visible()


def open_picture(page: Page, world: World) -> None:
    tiles = page.locator('[class*="st-key-tile-grid-"]')
    tiles.nth(20).locator("img").wait_for()
    for _ in range(3):  # a click is lost where the grid is drawn anew under it
        if "picture=" in page.url:
            break
        tiles.nth(2).click()
        with suppress(TooLate):
            page.wait_for_url("**picture=**", timeout=20_000)
    expect(page.get_by_role("dialog").get_by_text("Clean split").first).to_be_visible()


def follow_number(page: Page, world: World) -> None:
    page.get_by_role("heading", name="Pictures").wait_for()
    page.locator('[data-testid="stMain"] [data-testid="stImage"] img').first.wait_for()


JOBS = {
    "begin": Job("", APP, sees("What speaks for")),
    "explain a photo": Job(
        "image_explanation?source=Sample+photo", "Image explanation", sees("Face 1:")
    ),
    "browse layers": Job(
        "layer_activations?source=Sample+photo", "Layer activations", sees("channel")
    ),
    "see the camera": Job("live_camera", "Live camera", see_camera),
    "analyse a film": Job("video", "Video", analyse_film),
    "score a folder": Job("folder_scores", "Folder scores", score_folder),
    "prepare own data": Job("dataset_explorer?view=Prepare", "Dataset explorer", prepare_own),
    "look through data": Job("dataset_explorer?view=Pictures", "Dataset explorer", open_picture),
    "compare trainings": Job("training?view=Compare", "Training", sees("first-try")),
    "follow a number": Job("results?view=Confusions", "Results", follow_number),
    "read a card": Job("model_card", "Model card", sees("Known failures")),
}


def test_every_page_is_walked() -> None:
    titles = {APP if entry is HOME else entry.title for entry in present()}

    assert {job.title for job in JOBS.values()} == titles


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_done_and_its_page_is_sound_in_light_and_dark(
    job: str,
    width: tuple[int, int],
    world: World,
    browser: Browser,
    settled: Callable[[Page], None],
) -> None:
    wanted = JOBS[job]
    context = browser.new_context(
        viewport={"width": width[0], "height": width[1]}, color_scheme="light"
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    watched = Watched(page)
    title = APP if wanted.title == APP else f"{wanted.title} · {APP}"

    page.goto(f"{world.address}/{world.reached.get(job, wanted.address)}")
    settled(page)
    shift = watched.shift()
    found = [f"shift {shift:.2f}, at most {MOST_SHIFT}"] if shift > MOST_SHIFT else []
    wanted.reach(page, world)
    settled(page)
    world.reached[job] = page.url.removeprefix(f"{world.address}/")
    found += watched.faults(title)
    page.emulate_media(color_scheme="dark")
    page.reload()  # an open page's charts keep their colours
    settled(page)
    wanted.reach(page, world)
    settled(page)
    found += [f"dark: {text}" for text in watched.low_contrast()]
    context.close()

    assert not found, "\n".join(found)


def test_back_shows_the_photo_and_the_cells_that_were_left(
    world: World, page: Page, settled: Callable[[Page], None]
) -> None:
    def cell() -> list[str]:
        settled(page)
        boxes = (page.get_by_role("combobox", name=name).last for name in ("Label", "Answer"))
        return [box.input_value() for box in boxes]

    page.goto(f"{world.address}/image_explanation?source=Sample+photo")
    expect(page.get_by_text("Face 1:")).to_be_visible()
    page.get_by_role("link", name="Model card").first.click()
    expect(page.get_by_text("Known failures").first).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Face 1:")).to_be_visible()

    page.goto(f"{world.address}/results?view=Confusions&label=surprise&answer=sadness")
    follow_number(page, world)
    chosen = page.get_by_role("combobox", name="Label").last
    chosen.click()
    chosen.fill("anger")
    chosen.press("Enter")
    page.wait_for_url("**label=anger**")
    assert cell() == ["anger", "sadness"]
    page.go_back()
    page.wait_for_url("**label=surprise**")
    expect(page.get_by_role("combobox", name="Label").last).to_have_value("surprise")
    assert cell() == ["surprise", "sadness"]
