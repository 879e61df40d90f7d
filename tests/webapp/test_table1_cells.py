"""Table 1 on the overview: which numbers are marked as other than the paper's."""

import pandas as pd

from core.data.table1 import TABLE1
from core.labels import EMOTIONS
from webapp.dataset_explorer.overview import counts_table

PAPER = dict(zip(EMOTIONS, TABLE1["fer2013", "test"], strict=True))


def rows(**more: int) -> tuple[pd.Series, pd.Series]:
    """Texts and marks of FER2013's test, as the paper counts it but for what is named."""
    counts = {"fer2013": {"test": {**PAPER, **more}}}
    texts, marks = counts_table(counts)
    return texts.iloc[0], marks.iloc[0]


def test_neutral_faces_beside_the_papers_six_mark_no_cell() -> None:
    theirs = sum(PAPER.values())

    texts, marks = rows(neutral=1233)

    assert texts["the paper's six"] == f"{theirs:,}"
    assert texts["total"] == f"{theirs + 1233:,}"
    assert not marks.any()


def test_another_number_marks_its_cell_and_the_sum_with_the_papers_in_brackets() -> None:
    theirs = PAPER

    texts, marks = rows(neutral=5, anger=theirs["anger"] - 3)

    assert texts["anger"] == f"{theirs['anger'] - 3:,} ({theirs['anger']:,})"
    assert texts["the paper's six"] == f"{sum(theirs.values()) - 3:,} ({sum(theirs.values()):,})"
    assert texts["total"] == f"{sum(theirs.values()) + 2:,}"
    assert list(marks[marks].index) == ["anger", "the paper's six"]


def test_the_papers_six_alone_have_one_sum() -> None:
    theirs = PAPER

    texts, marks = rows(anger=theirs["anger"] - 3)

    assert texts["total"] == f"{sum(theirs.values()) - 3:,} ({sum(theirs.values()):,})"
    assert list(marks[marks].index) == ["anger", "total"]
    assert "the paper's six" not in texts


def test_a_source_that_the_paper_does_not_count_is_compared_with_nothing() -> None:
    counts = {"own": {"train": {"anger": 2, "neutral": 3}}, "fer2013": {"test": PAPER}}

    texts, marks = counts_table(counts)

    own = texts[texts["set"] == "own"].iloc[0]
    assert (own["the paper's six"], own["total"]) == ("2", "5")
    assert not marks.to_numpy().any()


def test_sets_of_ones_own_have_a_total_alone() -> None:
    texts, marks = counts_table({"own": {"train": {"anger": 2, "neutral": 3}}})

    assert texts.iloc[0]["total"] == "5"
    assert "the paper's six" not in texts
    assert not marks.to_numpy().any()
