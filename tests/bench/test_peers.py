"""Tools of others beside ours: what they say is read and compared, and no fault of theirs is ours.

The tools are scripts that say what a tool would.
"""

import json
import sys
from pathlib import Path

import cv2
import pytest

from core.bench import Comparison, peers
from core.errors import CoreError

MIDDLES = [(100.0, 100.0), (200.0, 100.0), (300.0, 100.0), (300.0, 300.0)]
ON = [90, 90, 20, 20]  # holds the first middle


def fake(
    tool: str, boxes: list[list[list[int]]], processor: list[float], end: str = ""
) -> list[str]:
    """A tool that prints what others print, and needs so many seconds round after round."""
    lines = [json.dumps({"seconds": 9.0, "processor": each}) for each in processor]
    script = (
        f"import sys\nprint('loading')\nprint({json.dumps({'tool': tool, 'boxes': boxes})!r})\n"
        f"for line in {lines!r}:\n"
        "    sys.stdout.flush()\n    if not sys.stdin.readline(): break\n    print(line)\n"
        f"sys.stdout.flush()\n{end}\nsys.stdin.read()\n"
    )
    return [sys.executable, "-c", script]


def rows(result: Comparison) -> dict[str, tuple[str, ...]]:
    return {line[0]: line[1:] for line in result.table[1:]}


def test_tools_are_compared_with_ours_round_by_round() -> None:
    all_four = [[[x - 10, y - 10, 20, 20]] for x, y in ((100, 100), (200, 100), (300, 100))]
    result = peers.measured(
        {
            peers.OURS: fake("ours (a)", [*all_four, [[290, 290, 20, 20]]], [2.0, 1.0, 4.0]),
            peers.PAPER: fake(peers.PAPER, [[ON], [], [], [ON, ON]], [4.0, 3.0, 20.0]),
            "other": "not installed: do this",
        },
        MIDDLES,
    )

    # By hand: medians 2 s and 4 s for four pictures; rounds 4/2, 3/1 and 20/4, so 3 in the median.
    assert (result.ours, result.baseline, result.ratio) == (2.0, 1.0, 3.0)
    assert rows(result) == {
        "ours (a)": ("2.0", "4 of 4", "1.0"),
        peers.PAPER: ("1.0", "1 of 4, and 2 boxes elsewhere", "3.0"),
        "other": ("not installed: do this",),
    }


def test_a_tool_that_fails_is_told_and_the_others_are_measured() -> None:
    broken = [sys.executable, "-c", "raise ImportError('no module named tensorflow')"]
    tired = fake("tired", [[], [], [], []], [1.0], end="sys.exit('no memory')")
    result = peers.measured(
        {
            peers.OURS: fake("ours", [[], [], [], []], [1.0, 1.0, 1.0]),
            "broken": broken,
            "lost": ["/no/such/program"],
            "tired": tired,
        },
        MIDDLES,
    )

    told = rows(result)
    assert told["ours"] == ("4.0", "0 of 4", "1.0")
    assert told["broken"] == (
        "not measured: it ended early (ImportError: no module named tensorflow)",
    )
    assert told["lost"][0].startswith("not measured: it does not start (")
    assert told["tired"] == ("not measured: it ended early (no memory)",)


def test_without_ours_there_is_nothing_to_compare() -> None:
    with pytest.raises(CoreError, match=r"^Ours was not measured: it ended early \(oh\)\.$"):
        peers.measured({peers.OURS: [sys.executable, "-c", "raise SystemExit('oh')"]}, MIDDLES)


def test_what_is_not_installed_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/bin/node")
    found = peers.commands(tmp_path, tmp_path / "checkpoint", tmp_path / "peers")

    assert found["fer"] == found["face-api"] == "not installed: `make peers` installs it"
    assert not isinstance(found[peers.OURS], str)

    monkeypatch.setattr("shutil.which", lambda name: None)
    found = peers.commands(tmp_path, tmp_path / "checkpoint", tmp_path / "peers")
    assert found["face-api"] == "not measured: there is no Node.js on this machine"


def test_what_is_installed_is_started_in_its_own_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/bin/node")
    place = tmp_path / "peers"
    for file in ("bin/python", "node_modules/@vladmandic/face-api/package.json"):
        (place / file).parent.mkdir(parents=True)
        (place / file).touch()

    found = peers.commands(tmp_path, tmp_path / "checkpoint", place)

    assert found["fer"][0] == str(place / "bin" / "python")
    assert found["face-api"][0] == "/bin/node"
    assert found["face-api"][2:] == ["ssd", str(tmp_path), str(place)]
    assert found["face-api, tiny detector"][2] == "tiny"


def test_the_pictures_have_a_face_where_it_is_said(tmp_path: Path) -> None:
    middles = peers.write_pictures(tmp_path)

    files = sorted(tmp_path.glob("*.jpg"))
    assert len(files) == len(middles) == peers.PICTURES
    haar = cv2.CascadeClassifier(
        str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )
    for number in (0, 21, 42, 63):
        picture = cv2.imread(str(files[number]), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert picture.shape == (480, 640)
        boxes = [[int(side) for side in box] for box in haar.detectMultiScale(picture, 1.1, 10)]
        assert peers.hits([boxes], [middles[number]])[0] == 1


def test_the_side_of_other_tools_needs_nothing_of_ours() -> None:
    side = Path(peers.__file__).with_name("peer_side.py").read_text()

    assert "core" not in {line.split()[1].split(".")[0] for line in side.splitlines()
                          if line.startswith(("import ", "from "))}  # fmt: skip
