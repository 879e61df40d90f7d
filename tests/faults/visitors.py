"""Visitors of the running app: ten at once, slow jobs beside them, tabs of the camera.

    python -m tests.faults.visitors [--minutes N] [--visitors N] [--tabs N] [--no-slow]

Run by `make load`.  It prints figures and ends with 1 where one is not held.  Visitors speak
Streamlit's own protocol, so that no browser takes the processor; the camera's tabs are Chromium's.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np
import psutil
from app_server import started
from evaluated_run import write_pictures
from skimage.data import astronaut
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from webapp.cache import CLOCK

MOST_GROWTH, MOST_DELAY = 100.0, 3.0  # MB when all are gone; times the quiet answer, beside a job
PATIENCE = 1_200.0  # seconds until an answer
FORGOTTEN_AFTER = 150.0  # seconds after which Streamlit has forgotten a visitor who is gone
SLOW_PICTURES, ROUNDS = 2_000, 6
METHODS = ("grad_cam", "layer_cam", "hires_cam", "saliency", "grad_cam_pp", "activation")
PAGES = (
    *(("image_explanation", f"source=Sample+photo&method={name}") for name in METHODS),
    ("results", ""),
    ("results", "view=Confusions"),
    ("dataset_explorer", ""),
    ("dataset_explorer", "view=Pictures"),
)
SLOW = ("image_explanation", "source=Sample+photo&method=integrated_gradients")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass
class Visitor:
    """A connection, what no visitor should have been told, and widgets' ids by kind and label."""

    socket: ClientConnection
    faults: list[str] = field(default_factory=list)
    widgets: dict[tuple[str, str], str] = field(default_factory=dict)
    states: dict[str, WidgetState] = field(default_factory=dict)

    @classmethod
    @contextlib.asynccontextmanager
    async def arrived(cls, port: int) -> "AsyncIterator[Visitor]":
        """A new visitor, who leaves at the end."""
        async with connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]  # a new type of text
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
        ) as socket:
            yield cls(socket)

    async def ask(self, page: str, query: str = "", press: str = "") -> float:
        """Seconds until a page is drawn to its end.

        Args:
            page: Its address.
            query: Behind it.
            press: Label of a button that is pressed on it.
        """
        message = BackMsg()
        message.rerun_script.page_name, message.rerun_script.query_string = page, query
        states = list(self.states.values())
        if press:
            states.append(WidgetState(id=self.widgets["button", press], trigger_value=True))
        message.rerun_script.widget_states.widgets.extend(states)
        begun = time.monotonic()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while not self._ends(await self.socket.recv()):
                pass
        return time.monotonic() - begun

    def choose(self, label: str, value: str) -> None:
        """Set a select box, from the next answer on."""
        identity = self.widgets["selectbox", label]
        self.states[identity] = WidgetState(id=identity, string_value=value)

    def _ends(self, content: str | bytes) -> bool:
        message = ForwardMsg()
        message.ParseFromString(content if isinstance(content, bytes) else content.encode())
        if message.WhichOneof("type") == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.faults.append("a page that does not compile")
            return message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        if message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            kind = element.WhichOneof("type") or ""
            drawn = getattr(element, kind, None)
            if kind == "exception":
                self.faults.append(element.exception.message)
            if kind == "alert" and element.alert.format == element.alert.ERROR:
                self.faults.append(element.alert.body)
            label, identity = (getattr(drawn, name, "") for name in ("label", "id"))
            if identity and label:
                self.widgets[kind, label] = identity
        return False


@dataclass
class Held:
    """What is held, and what is not."""

    broken: list[str] = field(default_factory=list)

    def check(self, *, held: bool, what: str) -> None:
        say(f"{'held' if held else 'NOT HELD'}: {what}")
        if not held:
            self.broken.append(what)


async def _rounds(visitor: Visitor, rounds: int) -> list[float]:
    """Seconds of a visitor's answers on pages of all kinds, in turn."""
    return [await visitor.ask(*PAGES[number % len(PAGES)]) for number in range(rounds)]


async def _beside(
    port: int, slow: Callable[[Visitor], Awaitable[object]], shortest: float
) -> tuple[list[float], float, list[str]]:
    """Answers of one visitor while another's job runs, how long that took, and what went wrong.

    Raises:
        RuntimeError: The job was too short to tell anything.
    """
    async with Visitor.arrived(port) as other, Visitor.arrived(port) as visitor:
        begun = time.monotonic()
        job = asyncio.ensure_future(slow(other))
        await asyncio.sleep(0.5)
        answers: list[float] = []
        pages = cycle(PAGES)
        while not job.done():
            answers.append(await visitor.ask(*next(pages)))
        await job
        took = time.monotonic() - begun
        if took < shortest or len(answers) < 2:
            raise RuntimeError(f"The slow job ended after {took:.1f} s, beside {len(answers)}")
        return answers[:-1] if len(answers) > len(PAGES) else answers, took, [
            *other.faults, *visitor.faults,
        ]  # fmt: skip


async def _all_methods(visitor: Visitor) -> None:
    """Integrated gradients of every network there is: the pages keep what they have computed."""
    await visitor.ask(*SLOW)
    for name in ("gimefive-rafdb", "fergimefive-resnet14-joined"):
        await visitor.ask(SLOW[0], f"{SLOW[1]}&checkpoint={name}")


async def _folder(visitor: Visitor) -> None:
    """The scores of a folder."""
    await visitor.ask("folder_scores")
    visitor.choose("Folder below the data folder", f"many ({SLOW_PICTURES:,} pictures)")
    await visitor.ask("folder_scores")
    await visitor.ask("folder_scores", press="Score the pictures")


async def quiet_pages(port: int, held: Held) -> float:
    """Seconds of an answer while nobody else is there, in the median."""
    async with Visitor.arrived(port) as visitor, Visitor.arrived(port) as other:
        # Networks and tables are read once, and what works for two at once is built.
        await asyncio.gather(*(_rounds(one, len(PAGES)) for one in (visitor, other)))
        quiet = statistics.median(await _rounds(visitor, 2 * len(PAGES)))
        held.check(held=not visitor.faults, what=f"no error in quiet pages {visitor.faults[:2]}")
    return quiet


async def beside_slow_jobs(port: int, quiet: float, held: Held) -> None:
    """Answers beside somebody's slow job, against quiet ones."""
    for name, job in (("integrated gradients", _all_methods), ("2,000 pictures", _folder)):
        answers, took, faults = await _beside(port, job, 2 * quiet)
        delay = statistics.median(answers) / quiet
        held.check(
            held=delay < MOST_DELAY and not faults,
            what=f"beside {name} ({took:.0f} s) {len(answers)} answers take {delay:.2f} times the "
            f"quiet {quiet:.2f} s in the median, {max(answers) / quiet:.2f} times at most; errors "
            f"{faults[:2]}",
        )


async def crowd(port: int, visitors: int, minutes: float, held: Held) -> None:
    """Many at once, each on a page of its own, for a while."""
    deadline = time.monotonic() + 60 * minutes

    async def stay(number: int) -> tuple[list[float], list[str]]:
        async with Visitor.arrived(port) as visitor:
            answers: list[float] = []
            while time.monotonic() < deadline:
                answers.append(await visitor.ask(*PAGES[(len(answers) + number) % len(PAGES)]))
                await asyncio.sleep(0.5)
            return answers, visitor.faults

    found = await asyncio.gather(*(stay(number) for number in range(visitors)))
    answers = sorted(one for part, _ in found for one in part)
    faults = [one for _, part in found for one in part]
    held.check(
        held=not faults and len(answers) >= visitors,
        what=f"{visitors} visitors for {minutes:g} min: {len(answers):,} answers, median "
        f"{statistics.median(answers):.2f} s, 95 % within {answers[len(answers) * 95 // 100]:.2f} "
        f"s, longest {answers[-1]:.2f} s; {len(faults)} errors {sorted(set(faults))[:3]}",
    )


@dataclass(frozen=True, slots=True)
class State:
    """What the app's process holds."""

    megabytes: float
    threads: int
    handles: int
    sockets: int

    @classmethod
    def of(cls, process: psutil.Process) -> "State":
        return cls(
            round(process.memory_info().rss / 2**20), process.num_threads(), process.num_fds(),
            len(process.net_connections("udp")),
        )  # fmt: skip


def forgotten(port: int, server: psutil.Process) -> State:
    """What the app holds once those who left are forgotten, which is when another one comes."""
    time.sleep(FORGOTTEN_AFTER)

    async def come() -> None:
        async with Visitor.arrived(port) as visitor:
            await visitor.ask("model_card")

    asyncio.run(come())
    time.sleep(CLOCK + 5)  # within which the app gives back what they had
    return State.of(server)


def camera_tabs(port: int, tabs: int, film: Path) -> None:
    """Two tabs at a time are opened on the camera page, started, and closed while they run."""
    from playwright.sync_api import sync_playwright

    flags = (
        "--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream", "--allow-loopback-in-peer-connection",
        f"--use-file-for-fake-video-capture={film}",
    )  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(flags))
        for _ in range(tabs):
            context = browser.new_context()
            context.set_default_timeout(120_000)
            for page in (context.new_page(), context.new_page()):
                page.goto(f"http://127.0.0.1:{port}/live_camera")
                frame = page.frame_locator('iframe[title*="webrtc_streamer"]')
                # The page enlarges the button, and Playwright would click beside it.
                frame.get_by_role("button", name="START").dispatch_event("click")
                frame.get_by_role("button", name="STOP").wait_for()
                page.wait_for_timeout(3_000)
            context.close()
        browser.close()


@contextlib.contextmanager
def generated() -> Iterator[Path]:
    """Data, runs and cache of this test: pictures, a prepared set, a film for the camera."""
    with tempfile.TemporaryDirectory(prefix="visitors-") as name:
        root = Path(name)
        os.environ |= {f"GIMEFIVE_{one.upper()}": str(root / one) for one in ("data", "cache")}
        os.environ["GIMEFIVE_RUNS"] = str(root / "runs")
        write_pictures(root / "pictures")
        command = [sys.executable, "-m", "core", "prepare", str(root / "pictures"), "--out"]
        subprocess.run([*command, str(root / "data" / "shapes")], check=True, capture_output=True)
        many = root / "data" / "many"
        many.mkdir()
        photo = np.asarray(astronaut(), np.uint8)  # type: ignore[no-untyped-call]
        face = cv2.cvtColor(photo[:256, 96:352], cv2.COLOR_RGB2BGR)
        for number in range(SLOW_PICTURES):
            moved = np.roll(face, number % 16, axis=1)
            cv2.imwrite(str(many / f"{number:04d}.jpg"), moved)
        with (root / "face.y4m").open("wb") as file:
            file.write(b"YUV4MPEG2 W320 H240 F5:1 Ip A1:1 C420\n")
            for number in range(40):
                image = cv2.resize(np.roll(photo[:384], number, axis=1), (320, 240))
                file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420).tobytes())
        yield root


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--no-slow", action="store_true", help="leave the slow jobs out")
    parser.add_argument("--tabs", type=int, default=15, help="times two tabs of the camera")
    given = parser.parse_args()
    held = Held()
    with (
        generated() as root,
        started(root / "app.log", "tests.support.loopback_app") as app,
    ):
        port, server = app.port, psutil.Process(app.process)
        if given.minutes:
            quiet = asyncio.run(quiet_pages(port, held))
            if not given.no_slow:
                asyncio.run(beside_slow_jobs(port, quiet, held))
            before = forgotten(port, server)
            asyncio.run(crowd(port, given.visitors, given.minutes, held))
            after = forgotten(port, server)
            held.check(
                held=after.megabytes - before.megabytes < MOST_GROWTH,
                what=f"memory, threads, handles before {before} and after all are gone {after}",
            )
        if given.tabs:
            camera_tabs(port, 1, root / "face.y4m")  # libraries are loaded once
            before = forgotten(port, server)
            camera_tabs(port, given.tabs, root / "face.y4m")
            after = forgotten(port, server)
            flat = after.sockets <= before.sockets and after.threads <= before.threads + 1
            flat = flat and after.handles <= before.handles + 6  # two sessions' loops
            held.check(
                held=flat and after.megabytes - before.megabytes < MOST_GROWTH,
                what=f"{given.tabs} times two tabs of the camera: before {before}, after {after}",
            )
        said = (root / "app.log").read_text(errors="replace")
        held.check(held="Traceback" not in said, what="no traceback in the app's log")
        if "Traceback" in said:
            say(said[said.index("Traceback") :][:4000])
    sys.exit(1 if held.broken else 0)


if __name__ == "__main__":
    main()
