from core.data import AGGREGATE, TABLE1, compare, with_aggregate
from core.data.table1 import PAPER_SOURCES, Counts, differences
from core.labels import EMOTIONS

# The last column of the paper's table.
TOTALS = {
    ("raf_db", "train"): 9747,
    ("raf_db", "test"): 2388,
    ("fer2013", "train"): 23743,
    ("fer2013", "test"): 5945,
    ("affectnet", "train"): 21045,
    ("ck_plus", "train"): 309,
    ("tfeid", "train"): 229,
    (AGGREGATE, "train"): 55073,
    (AGGREGATE, "test"): 8333,
    ("gimefive_valid", "valid"): 600,
}


def as_published() -> Counts:
    counts: Counts = {}
    for (source, split), row in TABLE1.items():
        if source != AGGREGATE:
            counts.setdefault(source, {})[split] = dict(zip(EMOTIONS, row, strict=True))
    return counts


def test_rows_sum_to_the_published_totals() -> None:
    assert {key: sum(row) for key, row in TABLE1.items()} == TOTALS


def test_the_five_sets_sum_to_the_aggregate() -> None:
    together = with_aggregate(as_published())[AGGREGATE]

    assert tuple(together["train"][name] for name in EMOTIONS) == TABLE1[AGGREGATE, "train"]
    assert tuple(together["test"][name] for name in EMOTIONS) == TABLE1[AGGREGATE, "test"]


def test_the_paper_differs_from_itself_nowhere() -> None:
    assert differences(as_published()) == []
    assert len(compare(as_published())) == 6 * len(TABLE1)


def test_a_swapped_pair_and_a_missing_picture_are_named() -> None:
    counts = as_published()
    row = counts["affectnet"]["train"]
    row["happiness"], row["sadness"] = row["sadness"], row["happiness"]
    counts["fer2013"]["train"]["happiness"] -= 1

    found = {(one["source"], one["emotion"]): one for one in differences(counts)}

    swapped = found["affectnet", "happiness"]
    assert swapped["note"] == "the paper has happiness and sadness swapped"
    assert (swapped["published"], swapped["measured"]) == (3091, 5044)
    assert swapped["difference"] == 1953
    assert found["affectnet", "sadness"]["note"] == "the paper has sadness and happiness swapped"
    assert found["fer2013", "happiness"]["note"] == "1 picture fewer than published"
    assert found[AGGREGATE, "happiness"]["difference"] == 1952
    assert len(found) == 5


def test_the_aggregate_needs_all_five_sets() -> None:
    counts = as_published()
    del counts["tfeid"]

    assert AGGREGATE not in with_aggregate(counts)
    assert {cell.source for cell in compare(counts)} == {*PAPER_SOURCES, "gimefive_valid"} - {
        "tfeid"
    }
