"""Breaks every verb that writes at each of its file operations in turn, and looks at what is left.

    python tests/faults/harness.py [--verb NAME ...] [--points N] [--json FILE]

A verb runs in a process of its own, forked from this one, in which all it needs is loaded. At its
n-th operation (open for writing, rename, remove, make or remove a folder, flush) below its folders
it is killed, or from then on the disk is full, or takes no changes. Afterwards no file may be half
written, what is shown must be true, an error must be a sentence, and a second try must end as an
undisturbed one does. Nothing here is random: the same points break in the same way.
"""

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broken_process import KINDS, Kind, Meddler, in_child
from reading import READERS


@dataclass(frozen=True)
class Verb:
    """A verb that writes.

    Attributes:
        name: As it is typed.
        run: Does it in the folder it is given; again after a fault, as a user would.
        state: What is wrong with what the program shows after a fault; "" for nothing.
        result: What it leaves, without times, to compare with an undisturbed run's.
        base: The verb whose undisturbed result it begins with, by name; "" for generated pictures.
        elsewhere: Whether it writes where it is told alone, and so needs to change neither data nor
            runs.
    """

    name: str
    run: Callable[[Path], None]
    result: Callable[[Path], object]
    state: Callable[[Path], str] = lambda root: ""
    base: str = ""
    elsewhere: bool = False


def enter(root: Path) -> None:
    """Make a folder the home of data, runs and cache of this process."""
    os.environ |= {
        "GIMEFIVE_DATA": str(root / "data"),
        "GIMEFIVE_RUNS": str(root / "runs"),
        "GIMEFIVE_CACHE": str(root / "cache"),
        "TMPDIR": str(root.parent / "tmp"),
    }
    tempfile.tempdir = None
    os.chdir(root)


@dataclass
class Tally:
    """What came of one verb and kind of fault."""

    verb: str
    kind: str
    operations: int
    tried: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def survived(self) -> int:
        """Points at which all was as it must be."""
        return self.tried - len({one.split(":")[0] for one in self.faults})


class Bench:
    """Runs verbs, whole and broken, always in the same folder, so that paths in files are equal.

    Args:
        home: An empty folder.
        verbs: By name, each behind its base.
    """

    def __init__(self, home: Path, verbs: dict[str, Verb]) -> None:
        self.home, self.verbs = home, verbs
        self.root = home / "root"
        (home / "tmp").mkdir()
        self.counts: dict[str, int] = {}
        self.wholes: dict[str, object] = {}

    def set_out(self, name: str) -> None:
        """Fill the folder with what a verb begins with, or an undisturbed one has left."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.home / f"base-{name}", self.root)

    def learn(self, name: str) -> None:
        """Run a verb undisturbed, after its base, and keep its operations and what it leaves."""
        if name in self.counts:
            return
        verb = self.verbs[name]
        if verb.base:
            self.learn(verb.base)
        self.set_out(verb.base)

        def work() -> list[Any]:
            enter(self.root)
            meddler = Meddler((self.root,), "kill", 0)
            _ended_well(verb, self.root)
            return [meddler.count, sorted(sys.modules)]

        ended = in_child(work)
        if ended.code or ended.value is None:
            raise RuntimeError(f"{name} fails undisturbed: {ended.said}")
        self.counts[name], modules = ended.value
        for module in modules:  # so that forked processes need not
            with suppress(Exception):
                importlib.import_module(module)
        self.wholes[name] = self.result(verb)
        shutil.copytree(self.root, self.home / f"base-{name}")

    def result(self, verb: Verb) -> object:
        """What a verb has left."""

        def read() -> object:
            enter(self.root)
            return verb.result(self.root)

        ended = in_child(read)
        return ended.value if ended.code == 0 else f"unreadable: {ended.said[-300:]}"

    def break_at(self, verb: Verb, kind: Kind, at: int) -> list[str]:
        """What is wrong after a fault at one operation; empty for nothing."""
        self.set_out(verb.base)

        def broken() -> None:
            enter(self.root)
            Meddler((self.root,), kind, at)
            verb.run(self.root)

        def look() -> list[str]:
            enter(self.root)
            return [*half_files(self.root), *([said] if (said := verb.state(self.root)) else [])]

        def again() -> None:
            enter(self.root)
            _ended_well(verb, self.root)

        first = in_child(broken)
        wrong = [first.fault] if kind != "kill" and first.fault else []
        seen = in_child(look)
        wrong += seen.value if seen.code == 0 else [f"looking at it: {seen.fault or seen.said}"]
        second = in_child(again)
        if second.code:
            return [*wrong, f"the second try: {second.said.strip()[-300:]}"]
        found = self.result(verb)
        if found != self.wholes[verb.name]:
            wrong.append(
                f"the second try ends differently: {_difference(found, self.wholes[verb.name])}"
            )
        left = [path.name for path in self.root.rglob(".*.tmp")]
        return wrong + ([f"left for ever: {', '.join(left)}"] if left else [])

    def keep_out(self, verb: Verb) -> list[str]:
        """What is wrong where data and runs are read-only and nothing else is."""
        self.set_out(verb.base)
        places = (self.root / "data", self.root / "runs")
        before = [_written(place) for place in places]

        def work() -> None:
            enter(self.root)
            os.environ["GIMEFIVE_READ_ONLY"] = "1"
            Meddler(places, "read-only", 1)
            verb.run(self.root)

        ended = in_child(work)
        wrong = [ended.fault] if ended.fault else []
        if verb.elsewhere and ended.code:
            wrong.append(f"it needs to write into data or runs: {ended.said.strip()[-200:]}")
        if verb.elsewhere and not ended.code and self.result(verb) != self.wholes[verb.name]:
            wrong.append("it ends differently")
        if [_written(place) for place in places] != before:
            wrong.append("something was written")
        return wrong

    def tally(self, name: str, kind: Kind, points: int | None) -> Tally:
        """Break a verb at so many points, spread evenly; at all of them for None."""
        self.learn(name)
        total = self.counts[name]
        at = list(range(1, total + 1))
        if points is not None and points < total:
            step = total / points
            at = sorted({round(1 + step * (number + 0.5)) for number in range(points)} & set(at))
        result, begun = Tally(name, kind, total), time.monotonic()
        for one in at:
            result.tried += 1
            result.faults += [
                f"{one}: {what}" for what in self.break_at(self.verbs[name], kind, one)
            ]
        if kind == "read-only":
            result.tried += 1
            result.faults += [f"data and runs: {what}" for what in self.keep_out(self.verbs[name])]
        result.seconds = time.monotonic() - begun
        return result


def _written(folder: Path) -> list[tuple[str, int, int]]:
    """All below a folder with its size and time of change."""
    found = ((path, path.lstat()) for path in sorted(folder.rglob("*")))
    return [(str(path), state.st_size, state.st_mtime_ns) for path, state in found]


def _ended_well(verb: Verb, root: Path) -> None:
    try:
        verb.run(root)
    except SystemExit as ended:
        if ended.code:
            raise


def _difference(found: object, whole: object) -> str:
    if isinstance(found, dict) and isinstance(whole, dict):
        names = [name for name in {**found, **whole} if found.get(name) != whole.get(name)]
        return ", ".join(sorted(names))[:300]
    return f"{str(found)[:150]} for {str(whole)[:150]}"


def half_files(root: Path) -> list[str]:
    """Files that are there under their own name and cannot be read to their end."""
    wrong = []
    for path in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        reader = READERS.get(path.suffix)
        if hidden or reader is None or not path.is_file():
            continue
        try:
            reader(path)
        except Exception as error:  # noqa: BLE001 - any fault is what is looked for
            wrong.append(f"half a file {path.relative_to(root)}: {str(error)[:100]}")
    return wrong


def main() -> None:
    """Break the verbs named, at the points asked for, and print a table."""
    from verbs import VERBS, write_base

    parser = argparse.ArgumentParser()
    parser.add_argument("--verb", action="append", choices=[one for one in VERBS if one])
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--points", type=int, help="of each verb and kind; all without it")
    parser.add_argument("--json", type=Path, help="file for the tallies")
    given = parser.parse_args()
    tallies = []
    home = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        (home / "base-").mkdir()
        write_base(home / "base-")
        bench = Bench(home, VERBS)
        for name in given.verb or VERBS:
            for kind in given.kind or KINDS:
                one = bench.tally(name, kind, given.points)
                tallies.append(one)
                print(  # noqa: T201
                    f"{one.verb:<13} {one.kind:<10} {one.operations:>4} operations, survived "
                    f"{one.survived:>4} of {one.tried:>4}, {one.seconds:5.0f} s",
                    flush=True,
                )
                for fault in one.faults:
                    print(f"    at {fault}", flush=True)  # noqa: T201
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if given.json is not None:
        given.json.write_text(
            json.dumps([vars(one) | {"survived": one.survived} for one in tallies])
        )
    sys.exit(any(one.faults for one in tallies))


if __name__ == "__main__":
    main()
