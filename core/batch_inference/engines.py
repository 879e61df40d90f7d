"""Where parts are done: in this process, in processes of this machine, or on a Ray cluster."""

import importlib.util
import os
import re
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

from core.errors import ConfigError, CoreError
from core.paths import ray_address, use_one_thread
from core.process import end_with_parent

Cluster = Literal["auto", "here", "processes", "ray"]
Do = Callable[..., object]  # takes a part's number, and `threads`; goes to other processes
Work = Callable[[Do, Sequence[int], int], Iterator[int]]  # with numbers and how many processes
FEW_PARTS = 6  # fewer are done before other processes have started
TRIES = 5  # of a part whose process ended under it
KNOCK_SECONDS = 10.0
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # of a terminal
AHEAD = 2  # parts handed to a process before it asks


@contextmanager
def begun(cluster: Cluster, workers: int) -> Iterator[Callable[[int], Work]]:
    """Begin what takes long, and give who does so many parts once they are known.

    Ray's processes take seconds to start, and meanwhile there is a listing to make.

    Args:
        cluster: "auto" takes Ray where RAY_ADDRESS names a cluster, this process for a few parts,
            and else processes.
        workers: Processes; 0 for one a core.

    Raises:
        ConfigError: There is no such engine, or Ray is not installed.
    """
    if cluster not in ("auto", "here", "processes", "ray"):
        raise ConfigError(f"The engine is {cluster!r}; expected auto, here, processes or ray.")
    if cluster != "ray" and not (cluster == "auto" and ray_address()):
        yield lambda parts: _on_this_machine(cluster, parts)
        return
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(
            "Ray is not installed, and --engine ray or RAY_ADDRESS asks for it. Run: "
            "pip install 'gimefive-studio[cluster]', or leave it out to use this machine's cores."
        )
    import ray

    with ThreadPoolExecutor(1, "ray") as thread:
        start = thread.submit(_start_ray, workers)
        try:
            yield lambda parts: partial(_ray, start)
        finally:
            wait([start])
            ray.shutdown()


def _on_this_machine(cluster: Cluster, parts: int) -> Work:
    few = parts < FEW_PARTS or (os.cpu_count() or 1) < 2
    if cluster == "here" or (cluster == "auto" and few):
        return _here
    return _processes


def _here(do: Do, parts: Sequence[int], workers: int) -> Iterator[int]:
    for number in parts:
        do(number)
        yield number


def _processes(do: Do, parts: Sequence[int], workers: int) -> Iterator[int]:
    """One process a core; a part whose process ended is handed out again."""
    count = workers or os.cpu_count() or 1
    left, tried = list(reversed(parts)), Counter[int]()
    while left:
        running: dict[Future[object], int] = {}
        with ProcessPoolExecutor(count, get_context("spawn"), _quiet) as pool:
            try:
                while left or running:
                    while left and len(running) < AHEAD * count:
                        running[pool.submit(do, left[-1], threads=1)] = left[-1]
                        left.pop()  # not before: a broken pool takes none
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        number = running[future]
                        future.result()
                        del running[future]
                        yield number
            except BrokenProcessPool:
                left += sorted(running.values(), reverse=True)
                tried.update(running.values())
        _check_tries(tried)


def _check_tries(tried: Counter[int]) -> None:
    part, tries = tried.most_common(1)[0] if tried else (0, 0)
    if tries >= TRIES:
        raise CoreError(
            f"Part {part} ended its process {tries} times, most likely for want of memory. "
            "What is done is kept; ask again with fewer --workers."
        )


def _quiet() -> None:
    """A process that shares its machine: one thread for each library."""
    import cv2

    cv2.setNumThreads(1)
    use_one_thread()
    end_with_parent()


class _Worker:
    """An actor: what it does is brought once, and what it loads is kept."""

    def __init__(self, do: Do, base: str) -> None:
        _quiet()
        try:
            os.chdir(base)  # what was named from there is found from there
        except OSError as error:
            raise CoreError(
                f"This node has no folder {base}, from which the pictures were named. Share it "
                "under the same path, or begin in a folder that is shared."
            ) from error
        self.do = do

    def stands(self) -> None:
        """Answer, once it stands."""

    def part(self, number: int) -> None:
        """Do a part."""
        self.do(number, threads=1)


def _start_ray(workers: int) -> None:
    """Join the cluster that RAY_ADDRESS names, or start one of this machine.

    Raises:
        CoreError: None answers.
    """
    import ray

    address = ray_address()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        options |= {"num_cpus": workers or os.cpu_count(), "include_dashboard": False}
    try:
        _knock(address)
        ray.init(address=address or "local", **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise CoreError(
            f"No Ray cluster answers at {address or 'this machine'} "
            f"({str(error).splitlines()[0]}). Start one with `ray start --head`, correct "
            "RAY_ADDRESS, or unset it to use this machine's cores."
        ) from error


def _ray(start: Future[None], do: Do, parts: Sequence[int], workers: int) -> Iterator[int]:
    """An actor a core of the cluster; the part of one that died is handed out again.

    Ray Data does the same for numbers, and takes ten seconds more to give the first.
    """
    import ray

    start.result()
    try:
        cores = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        worker = ray.remote(num_cpus=1)(_Worker)
        base = str(Path.cwd())
        yield from _by_actors(
            lambda: worker.remote(do, base), min(workers or cores, len(parts)), parts
        )
    except ray.exceptions.RayError as error:
        cause = _cause(error)
        raise CoreError(
            f"A node of the cluster could not do its part: {cause} What is done is kept; ask again."
        ) from error
    finally:
        ray.shutdown()  # cores are free while the parts are put together


def _by_actors(begin: Callable[[], Any], count: int, parts: Sequence[int]) -> Iterator[int]:
    """Give parts to actors as they stand and as they are done.

    Args:
        begin: Begins an actor.
        count: Of actors.
        parts: Their numbers.
    """
    import ray

    left, tried = deque(parts), Counter[int]()
    starting: dict[Any, Any] = {}  # actors by what tells that they stand
    running: dict[Any, tuple[Any, int]] = {}  # actor and part by what tells that it is done

    def start() -> None:
        actor = begin()
        starting[actor.stands.remote()] = actor

    for _ in range(count):
        start()
    while left or running:
        (news,), _ = ray.wait([*running, *starting], num_returns=1)
        if news in starting:
            ray.get(news)
            actor = starting.pop(news)
        else:
            actor, number = running.pop(news)
            try:
                ray.get(news)
            except ray.exceptions.RayActorError:  # it died; an error of ours is another one
                left.append(number)
                tried[number] += 1
                _check_tries(tried)
                start()
                continue
            yield number
        if left:
            number = left.popleft()
            running[actor.part.remote(number)] = actor, number


def _knock(address: str | None) -> None:
    """Ask whether anything listens at an address, which Ray itself tries for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, mark, port = (address or "").removeprefix("ray://").rpartition(":")
    if mark and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=KNOCK_SECONDS).close()


def _cause(error: BaseException) -> str:
    """Our own sentence out of what Ray wraps it in, which is a text with tracebacks.

    Else its last line where that names an exception, or the first.
    """
    lines = _COLOURS.sub("", str(error)).strip().splitlines()
    ours = [line.partition(": ")[2] for line in lines if line.startswith("core.errors.")]
    if ours:
        return ours[-1]
    named = "Traceback" in "".join(lines) and not lines[-1].startswith(" ")
    return f"{lines[-1 if named else 0].rstrip('.')}."
