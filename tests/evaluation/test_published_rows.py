"""The rows of the published tables."""

from core.evaluation import published_rows


def test_the_preliminary_table_adds_the_ten_layer_network() -> None:
    row = next(row for row in published_rows("preliminary") if row.name == "gimefive_nobn")

    assert (row.train, row.test, row.valid, row.layers) == (96.3, 76.9, 60.6, 10)


def test_preliminary_rows_that_the_paper_kept_agree_with_it() -> None:
    kept = {(row.dataset, row.name): row for row in published_rows()}

    for row in published_rows("preliminary"):
        if (row.dataset, row.name) in kept:
            same = kept[row.dataset, row.name]
            assert (row.train, row.test, row.valid) == (same.train, same.test, same.valid)
