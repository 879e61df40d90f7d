"""Results by stratum: accuracies counted by hand, lists, head turn, sharpness, refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grey_faces import GreyAnswers, new_run, rows_of, write_dataset
from numpy.typing import NDArray

from core.data import load_dataset
from core.errors import CheckpointError, ConfigError, DataError
from core.evaluation import evaluate_run, measure_strata, results_folder, stored_strata
from core.evaluation.bootstrap import share_difference, wilson
from core.types import Image

# True class, and the class a face looks like, which is the answer.
PAIRS = [(0, 0), (0, 0), (1, 1), (1, 0), (2, 2), (2, 1), (0, 0), (1, 1), (2, 2), (0, 2)]
ROWS = [
    *rows_of("raf_db", "test", "test", PAIRS),
    *rows_of("fer2013", "test", "test", [(0, 0), (1, 1), (2, 0)]),
    *rows_of("raf_db", "train", "train", [(0, 0), (1, 1)]),
    *rows_of("raf_db", "train", "valid", [(0, 0)]),
]


@dataclass(frozen=True)
class Made:
    """A run with predictions, its data, and a place for lists."""

    model: GreyAnswers
    data: Path
    place: Path

    def list_of(self, text: str) -> Path:
        path = self.place / "list.csv"
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def made(tmp_path: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GIMEFIVE_CACHE", str(tmp_path / "cache"))
    data = write_dataset(tmp_path / "data" / "faces", ROWS, "a-hash")
    facts: dict[str, object] = {
        "name": "faces",
        "data_hash": "a-hash",
        "sources": ["raf_db", "fer2013"],
    }
    model = new_run(own_runs, facts)
    evaluate_run(model.folder, model=model)
    return Made(model, data, tmp_path)


LIST = "path,stratum\n" + "".join(
    f"raf_db.zip!{number}/face.png,{stratum}\n"
    for number, stratum in [(0, "dark"), (3, "dark"), (5, "dark"), (5, "turned"), (6, "turned")]
)


def test_accuracies_by_stratum_are_those_counted_by_hand(made: Made) -> None:
    (found,) = measure_strata("a-run", made.list_of(LIST))["groupings"]

    # Right: 0, 1, 2, 4, 6, 7, 8 of raf_db's ten. Dark: 0 right, 3 and 5 wrong. Turned: 6 right.
    rows = {row["stratum"]: row for row in found["rows"]}
    assert [row["source"] for row in found["rows"]] == ["raf_db"] * 3
    assert [(name, row["n"], row["accuracy"]) for name, row in rows.items()] == [
        ("dark", 3, pytest.approx(1 / 3)),
        ("turned", 2, 1 / 2),
        ("", 6, pytest.approx(5 / 6)),
    ]
    assert rows["dark"]["difference"][0] == pytest.approx(1 / 3 - 6 / 7)
    assert rows["turned"]["difference"][0] == pytest.approx(1 / 2 - 6 / 8)
    assert rows["dark"]["accuracy_interval"] == list(wilson(1, 3))
    # Dark has one face of each of three classes, of which the rest has 2 of 3, all, and all right.
    assert rows["dark"]["expected"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert rows["turned"]["expected"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["name"] == "list, stratum"


def test_nothing_is_left_out_in_silence(made: Made) -> None:
    text = LIST + "raf_db.zip!99/face.png,dark\nraf_db.zip!98/face.png,dark\nface.png,dark\n"
    text += "raf_db.zip!13/face.png,dark\n"

    (found,) = measure_strata("a-run", made.list_of(text))["groupings"]

    assert found["notes"] == [
        "2 of the 8 names in the list are not in the data, such as raf_db.zip!99/face.png and "
        "raf_db.zip!98/face.png.",
        "1 of the 8 names fit several pictures and are left out, such as face.png; a column folder "
        "tells them apart.",
        "1 listed pictures are not among the faces of this split.",
        "1 faces are in more than one stratum.",
        "3 faces are of image sets that the list does not name (fer2013), and are left out.",
    ]
    assert sum(row["n"] for row in found["rows"] if row["stratum"] != "turned") == 9


def test_answers_below_the_threshold_are_unclear(made: Made) -> None:
    report = json.loads((made.model.folder / "report.json").read_text())
    for threshold, coverage in ((0.0, 1.0), (0.99, 0.0)):
        (made.model.folder / "report.json").write_text(
            json.dumps({**report, "threshold": threshold})
        )

        (found,) = measure_strata("a-run", made.list_of(LIST))["groupings"]

        row = found["rows"][0]
        assert (row["coverage"], row["answered"]) == (coverage, 3 * coverage)
        assert row["accuracy_answered"] == (pytest.approx(1 / 3) if coverage else None)


def test_macro_f1_needs_faces_of_every_expression(
    tmp_path: Path, own_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_DATA", str(tmp_path / "data"))
    pairs = [(i, i) for i in range(6) for _ in range(5)] + [(0, 1)] * 5
    write_dataset(
        tmp_path / "data" / "faces", rows_of("raf_db", "test", "test", pairs), "another-hash"
    )
    facts: dict[str, object] = {"name": "faces", "sources": ["raf_db"]}
    model = new_run(own_runs, facts)
    evaluate_run(model.folder, model=model)
    path = tmp_path / "list.csv"
    rows = "".join(f"raf_db.zip!{i}/face.png,{'all' if i < 34 else 'few'}\n" for i in range(35))
    path.write_text("path,stratum\n" + rows)

    (found,) = measure_strata("a-run", path)["groupings"]

    # Of ten happy faces but the last, five are right and four called surprise: F1 2*5/(9+5), that
    # of surprise 2*5/(5+9), of the others 1.
    value, low, high = found["rows"][0]["macro_f1"]
    assert value == pytest.approx((10 / 14 + 10 / 14 + 4) / 6)
    assert low < value < high
    assert found["rows"][1]["macro_f1"] is None


def test_a_stratum_with_few_faces_has_a_wide_interval(made: Made) -> None:
    text = "path,stratum\nraf_db.zip!0/face.png,lonely\nraf_db.zip!13/face.png,elsewhere\n"

    (found,) = measure_strata("a-run", made.list_of(text))["groupings"]

    lonely, elsewhere, _ = found["rows"]
    assert (lonely["n"], lonely["accuracy"]) == (1, 1.0)
    assert lonely["accuracy_interval"] == [pytest.approx(0.2065, abs=1e-4), 1.0]
    assert (elsewhere["n"], elsewhere["accuracy"], elsewhere["difference"]) == (0, None, None)
    assert elsewhere["accuracy_interval"] == [0.0, 1.0]


def test_strata_of_the_data_themselves_are_used(made: Made) -> None:
    manifest = pd.read_csv(made.data / "manifest.csv")
    strata = ["dark" if i in (0, 3) else "" for i in range(len(manifest))]
    manifest.assign(stratum=strata).to_csv(made.data / "manifest.csv", index=False)

    (found,) = measure_strata("a-run", by=["stratum"])["groupings"]

    assert [(row["source"], row["stratum"], row["n"]) for row in found["rows"]] == [
        ("raf_db", "dark", 2),
        ("raf_db", "", 8),
    ]
    assert found["rows"][0]["accuracy"] == 1 / 2


def test_faces_are_parted_into_quarters_by_sharpness(made: Made) -> None:
    # Stripes of growing contrast, so face i is the sharper the larger i.
    images = np.load(made.data / "images.npy")
    for number in range(len(images)):
        images[number, :, ::2] = 4 * number
        images[number, :, 1::2] = 0
    np.save(made.data / "images.npy", images)

    (found,) = measure_strata("a-run", by=["sharpness"])["groupings"]

    rows = [row for row in found["rows"] if row["source"] == "raf_db"]
    assert [row["n"] for row in rows] == [3, 2, 2, 3]
    # Right are 0, 1, 2 of the bluntest three and 7, 8 of the sharpest three.
    assert [row["accuracy"] for row in rows] == [1.0, 1 / 2, 1 / 2, pytest.approx(2 / 3)]
    assert rows[0]["stratum"].startswith("below ")
    assert rows[3]["stratum"].endswith(" and more")


def test_faces_are_parted_by_head_turn_and_angles_are_kept(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = np.array([0.0, -9.9, 10.0, -25.0, 44.0, 60.0, np.nan, 0, 0, 0, 0, 0, 0])
    asked: list[int] = []

    def found_landmarks(images: Image) -> NDArray[np.float64]:
        asked.append(len(images))
        return turns[: len(images)]

    monkeypatch.setattr("core.faces.fitted_landmarks", found_landmarks)
    monkeypatch.setattr("core.faces.head_yaw", lambda values: values)

    (found,) = measure_strata("a-run", by=["head_turn"])["groupings"]
    again = measure_strata("a-run", by=["head_turn"])["groupings"]

    rows = [(row["stratum"], row["n"]) for row in found["rows"] if row["source"] == "raf_db"]
    assert rows == [
        ("below 10°", 5),
        ("10° to 20°", 1),
        ("20° to 30°", 1),
        ("30° to 45°", 1),
        ("45° and more", 1),
        ("", 1),
    ]
    assert asked == [13]
    assert again[0]["rows"] == found["rows"]


def test_figures_are_kept_beside_earlier_ones_until_predictions_change(made: Made) -> None:
    measure_strata("a-run", made.list_of(LIST))
    measure_strata("a-run", by=["sharpness"])
    measure_strata("a-run", made.list_of(LIST.replace("turned", "lit")))

    (kept,) = stored_strata(made.model.folder)

    assert [one["name"] for one in kept["groupings"]] == ["sharpness", "list, stratum"]
    assert [row["stratum"] for row in kept["groupings"][1]["rows"]] == ["dark", "lit", ""]
    evaluate_run(made.model.folder, model=GreyAnswers(made.model.folder, made.model.card, 3.0))
    assert stored_strata(made.model.folder) == []
    measure_strata("a-run", by=["sharpness"])
    assert [len(one["groupings"]) for one in stored_strata(made.model.folder)] == [1]


@pytest.mark.parametrize(
    "damage", [{"groupings": [5]}, {"groupings": [{"name": "x", "split": "test", "rows": [{}]}]}]
)
def test_damaged_figures_are_none_and_are_measured_anew(made: Made, damage: dict[str, Any]) -> None:
    measure_strata("a-run", made.list_of(LIST))
    path = made.model.folder / "strata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))

    assert stored_strata(made.model.folder) == []
    measure_strata("a-run", made.list_of(LIST))
    assert len(stored_strata(made.model.folder)[0]["groupings"]) == 1


def test_a_shipped_checkpoint_stays_as_it_is(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.checkpoints.SHIPPED", made.model.folder.parent)
    monkeypatch.setattr("core.checkpoints.SHIPPED_CHECKPOINTS", ("a-run",))
    before = {path.name for path in made.model.folder.iterdir()}
    kept: list[Path] = []

    measure_strata("a-run", made.list_of(LIST), on_kept=kept.append)

    place = results_folder(made.model.folder, made.model.card, load_dataset(made.data), named=False)
    assert kept == [place]
    assert (place / "strata.json").is_file()
    assert {path.name for path in made.model.folder.iterdir()} == before
    assert len(stored_strata(made.model.folder)) == 1


def test_pictures_prepared_under_another_name_are_known_by_their_pixels(made: Made) -> None:
    manifest = pd.read_csv(made.data / "manifest.csv")
    manifest["path"] = manifest["path"].str.replace("raf_db.zip", "downloaded.zip")
    manifest.to_csv(made.data / "manifest.csv", index=False)

    (found,) = measure_strata("a-run", made.list_of(LIST.replace("raf_db", "downloaded")))[
        "groupings"
    ]

    assert [row["n"] for row in found["rows"]] == [3, 2, 6]


def test_only_faces_answered_rightly_are_explained(made: Made) -> None:
    asked: dict[tuple[str, str], list[int]] = {}

    def explaining(groups: Mapping[Any, Any]) -> dict[str, Any]:
        asked.update({key: ids.tolist() for key, (_, ids) in groups.items()})
        one = {"n": 1, "gap": [0.5, None, None], "control": "centre", "lead": [0.1, None, None]}
        return {"method": "m", "layer": "l", "faces": 9, "groups": {("raf_db", "dark"): one}}

    (found,) = measure_strata("a-run", made.list_of(LIST), explaining=explaining)["groupings"]

    assert asked == {
        ("raf_db", "dark"): [0],
        ("raf_db", "turned"): [6],
        ("raf_db", ""): [1, 2, 4, 7, 8],
    }
    assert (found["method"], found["layer"], found["faces"]) == ("m", "l", 9)
    assert [row["faithfulness"] is None for row in found["rows"]] == [False, True, True]


def test_what_cannot_be_parted_is_refused_in_a_sentence(made: Made) -> None:
    with pytest.raises(ConfigError, match=r"no condition 'mood'. Choose of: stratum, head_turn"):
        measure_strata("a-run", by=["mood"])
    with pytest.raises(DataError, match=r"faces says no stratum of these faces"):
        measure_strata("a-run", by=["stratum"])
    with pytest.raises(DataError, match=r"No face of this split is in a stratum of list.csv"):
        measure_strata("a-run", made.list_of("path,stratum\nraf_db.zip!13/face.png,dark\n"))
    with pytest.raises(DataError, match=r"has no predictions of the published validation"):
        measure_strata("a-run", by=["sharpness"], split="published_valid")


def test_predictions_of_other_weights_are_refused(made: Made) -> None:
    (made.model.folder / "weights.safetensors").write_bytes(b"other weights")

    with pytest.raises(CheckpointError, match=r"made by other weights .* core evaluate a-run"):
        measure_strata("a-run", by=["sharpness"])


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_the_paper(
    right: int, count: int, low: float, high: float
) -> None:
    assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson(count - right, count) == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_the_interval_of_a_difference_is_that_of_the_paper() -> None:
    # Newcombe (1998), "Interval estimation for the difference", table II, method 10: 56/70, 48/80.
    value, ends = share_difference((56, 70), (48, 80))

    assert value == pytest.approx(0.2)
    assert ends == pytest.approx((0.0524, 0.3339), abs=5e-5)
