"""The published tables: Table 2 as printed, and what else was published."""

from typing import Any

import pytest

from core.data import shipped_audit
from core.evaluation import PublishedRow, peer_scores, published, published_rows, table2
from core.models import MODELS, describe

# Table 2 of the paper: accuracies in % for train, test, valid, in the order of the rows.
TABLE_2 = """
RAF-DB 93.8 83.3 68.8 | 98.9 81.3 67.9 | 100.0 83.7 72.0 | 96.6 80.6 66.8 | 98.4 81.7 71.1
RAF-DB 98.6 83.1 72.1 | 97.0 86.5 78.1 | 97.5 82.5 70.0
FER2013 69.0 49.4 35.6 | 92.6 64.7 42.1 | 97.6 67.1 43.6 | 86.6 64.1 40.2 | 89.6 65.6 40.7
FER2013 69.7 67.5 46.2 | 96.0 65.5 41.6
FER_GiMEFiVE 79.4 53.7 61.4 | 96.5 72.4 73.8 | 94.5 70.8 72.8 | 84.9 75.3 75.0 | 95.2 70.4 74.5
"""


def test_the_preliminary_table_adds_the_ten_layer_network() -> None:
    row = next(row for row in published_rows("preliminary") if row.name == "gimefive_nobn")

    assert (row.train, row.test, row.valid, row.layers) == (96.3, 76.9, 60.6, 10)


def test_preliminary_rows_that_the_paper_kept_agree_with_it() -> None:
    kept = {(row.dataset, row.name): row for row in published_rows()}

    for row in published_rows("preliminary"):
        if (row.dataset, row.name) in kept:
            same = kept[row.dataset, row.name]
            assert (row.train, row.test, row.valid) == (same.train, same.test, same.valid)


def test_the_corrected_count_is_that_of_the_files() -> None:
    tables = published("table_1")
    test, valid = (
        next(
            row["counts"][0]
            for row in tables["rows"]
            if (row["dataset"], row["split"]) == ("FER GiMEFiVE", split)
        )
        for split in ("test", "valid")
    )
    files = shipped_audit()["class_sizes"]["all/happiness"]

    assert f"happiness {files - test - valid:,}," in " ".join(tables["corrections"])


def printed() -> list[tuple[str, float, float, float]]:
    rows = []
    for line in TABLE_2.strip().splitlines():
        dataset, figures = line.split(" ", 1)
        for group in figures.split("|"):
            train, test, valid = map(float, group.split())
            rows.append((dataset.replace("_", " "), train, test, valid))
    return rows


def test_table_2_is_the_printed_one() -> None:
    rows = published_rows()

    assert [(row.dataset, row.train, row.test, row.valid) for row in rows] == printed()


def test_the_models_of_each_data_set_are_the_printed_ones() -> None:
    names = [(row.dataset, row.name) for row in published_rows()]

    first = ["vgg", "resnet18", "resnet34", "gimefive_baseline"]
    assert names == [
        *(("RAF-DB", name) for name in [*first, "gimefive_se", "gimefive_plain", "gimefive"]),
        ("RAF-DB", "gimefive_deep"),
        *(("FER2013", name) for name in [*first, "gimefive_plain", "gimefive", "gimefive_deep"]),
        *(("FER GiMEFiVE", name) for name in [*first[:3], "gimefive", "gimefive_res"]),
    ]


def test_rows_of_table_1_add_up() -> None:
    rows = published("table_1")["rows"]

    sums = [(sum(row["counts"]), row["total"]) for row in rows if row["counts"]]
    assert len(sums) == 10
    assert all(counted == total for counted, total in sums)


def test_table_1_of_the_aggregate_is_the_sum_of_its_parts() -> None:
    rows = published("table_1")["rows"]

    for split in ("train", "test"):
        parts = [r["counts"] for r in rows if r["split"] == split and r["counts"]]
        *sources, total = parts
        assert [sum(column) for column in zip(*sources, strict=True)] == total


def test_table_3_spans_the_printed_grid() -> None:
    grid = published("table_3")["rows"]

    assert grid["learning rate"] == [0.01, 0.001, 0.0001]
    assert grid["patience"] == [5, 10, 15]
    size = 1
    for values in grid.values():
        size *= len(values)
    assert size == 3 * 4 * 2 * 3 * 3 * 2 * 2 * 3 * 1 * 4 * 2 * 3


def test_figures_of_others_come_with_their_source_and_a_caution() -> None:
    assert published("human_agreement")["percent"] == 84.1
    assert "FER+" in published("human_agreement")["source"]
    assert "trained on other data" in published("peers")["statement"]
    peers = {row["name"]: row["scores"] for row in published("peers")["rows"]}
    assert peers["always happiness"]["raf_db"] == {"accuracy": 49.6, "macro_f1": 11.1}


def test_the_apps_network_stands_among_others_by_its_six_answers() -> None:
    def part(**sources: tuple[float, float]) -> dict[str, Any]:
        figures = {
            name: {"n": 10, "accuracy": accuracy, "macro_f1": f1}
            for name, (accuracy, f1) in sources.items()
        }
        return {"per_source": figures}

    splits = {
        "test": part(raf_db=(0.875, 0.75), fer2013=(0.5, 0.25)),
        "test_clean": part(raf_db=(0.8, 0.7), fer2013=(0.375, 0.125)),
    }
    seven = {"test": part(raf_db=(0.1, 0.1))}

    # Not the seven answers of the report itself.
    assert peer_scores({"splits": seven, "six": {"splits": splits}}) == {
        "raf_db": {"accuracy": 87.5, "macro_f1": 75.0},
        "fer2013": {"accuracy": 50.0, "macro_f1": 25.0},
        "fer2013_without_twins": {"accuracy": 37.5, "macro_f1": 12.5},
    }
    assert peer_scores({"splits": seven}) == {"raf_db": {"accuracy": 10.0, "macro_f1": 10.0}}


def test_published_figures_are_those_of_the_paper() -> None:
    found = [{**one, **one["published"]} for one in table2(runs=())]

    for one, printed in zip(found, published_rows(), strict=True):
        for field in ("dataset", "model", "name", "layers", "architecture", "parameters"):
            assert one[field] == getattr(printed, field)
        assert [one[part] for part in ("train", "test", "valid")] == [
            printed.train,
            printed.test,
            printed.valid,
        ]


NETWORKS = {row.name: row for part in ("table_2", "preliminary") for row in published_rows(part)}


@pytest.mark.parametrize("row", published_rows(), ids=lambda row: f"{row.dataset}-{row.name}")
def test_rows_of_one_network_say_the_same_of_it(row: PublishedRow) -> None:
    other = NETWORKS[row.name]

    assert (row.parameters, row.layers) == (other.parameters, other.layers)
    assert row.architecture == MODELS[row.name].architecture
    assert row.model == MODELS[row.name].title


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_parameters_and_layers_are_those_of_the_network_built(name: str) -> None:
    built = describe(name)

    assert built["parameters"] == NETWORKS[name].parameters
    assert built["layers"] == NETWORKS[name].layers


def test_what_a_caller_does_to_a_part_stays_with_it() -> None:
    published("table_1")["rows"].clear()

    assert published("table_1")["rows"]
