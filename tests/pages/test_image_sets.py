"""The results page by image set: which network holds on sets it never saw."""

import json
import shutil
from pathlib import Path

import pytest
from results_views import sets, view, words
from streamlit.testing.v1 import AppTest

from core.checkpoints import DEFAULT_CHECKPOINT
from core.evaluation import SourceScore, load_report
from core.files import write_json
from webapp.results.sources_view import sets_html, unseen_in_words


def test_image_sets_are_a_column_each(page: AppTest, own_runs: Path) -> None:
    view(page, "Image sets")

    head, first, second = sets(page)
    one = load_report(own_runs / "one")["splits"]["test"]
    assert head == ["Network", "Own pictures (36)"]
    assert first == ["Net one", f"{100 * one['accuracy']:.1f}"]
    assert second[0] == "Net two"
    assert "nothing to compare" in words(page)
    assert "Never trained on" in words(page)


def test_image_sets_have_intervals_where_asked_for(page: AppTest, own_runs: Path) -> None:
    view(page, "Image sets")
    page.toggle(key="ends of sources").set_value(True).run()

    assert not page.exception
    low, high = load_report(own_runs / "one")["splits"]["test"]["intervals"]["accuracy"]
    assert sets(page)[1][1].endswith(f" {100 * low:.1f} to {100 * high:.1f}")


def test_the_default_is_the_first_row_of_image_sets(page: AppTest, own_runs: Path) -> None:
    (own_runs / "two").rename(own_runs / DEFAULT_CHECKPOINT)

    view(page, "Image sets")

    assert [row[0] for row in sets(page)] == ["Network", "Net two (the default)", "Net one"]


def test_a_network_measured_on_other_pictures_stands_after_the_others(
    page: AppTest, own_runs: Path
) -> None:
    shutil.copytree(own_runs / "one", own_runs / "a")
    paths = [own_runs / "a" / name for name in ("card.json", "report.json")]
    card, report = (json.loads(path.read_text()) for path in paths)
    report["splits"]["test"]["per_source"]["folder"] |= {"n": 1, "accuracy": 1.0}
    for path, content in zip(paths, ({**card, "title": "Net a"}, report), strict=True):
        write_json(path, content)

    view(page, "Image sets")

    head, *rows = sets(page)
    assert head == ["Network", "Own pictures (36)"]
    assert [row[0] for row in rows] == ["Net one", "Net two", "Net a"]
    assert rows[2][1] == "100.0 of 1"
    assert "of other pictures have their own number below them" in words(page)


def score(source: str, accuracy: float, *, seen: bool, n: int = 100) -> SourceScore:
    ends = (accuracy - 0.01, accuracy + 0.01)
    return SourceScore(source, "test", n, accuracy, ends, accuracy, ends, seen)


def test_image_sets_begin_with_how_much_is_lost_on_sets_never_seen() -> None:
    scores = {
        "A (the default)": [score("raf_db", 0.9, seen=True), score("fer2013", 0.7, seen=True)],
        "B": [score("raf_db", 0.65, seen=False), score("fer2013", 0.72, seen=True)],
        "C": [score("raf_db", 0.5, seen=False), score("fer2013", 0.52, seen=False)],
        "few": [score("tfeid", 0.1, seen=False, n=20)],
        "few, too": [score("tfeid", 0.9, seen=True, n=20)],
    }

    recipes = {"A (the default)": "long", "B": "short", "C": "short", "D": "short"}
    scores["D"] = [score("raf_db", 0.75, seen=True), score("fer2013", 0.62, seen=True)]
    said = unseen_in_words(scores, "A (the default)", recipes)

    # RAF-DB: D, trained like B and C with it, is right for 75; FER2013: B and D for (72 + 62) / 2.
    assert "is right 10.0 to 25.0 percentage points less often than networks trained alike" in said
    assert "- RAF-DB: 65.0 % by “B”; 75.0 % by “D”, trained alike but with it." in said
    assert "- RAF-DB: 50.0 % by “C”; 75.0 % by “D”, trained alike but with it." in said
    assert (
        "- FER2013: 52.0 % by “C”; 67.0 % by “B” and “D”, trained alike but with it (mean)." in said
    )
    assert "90.0" not in said
    assert "TFEID" not in said
    assert "“A”, the default, was trained on all the image sets it was measured on" in said


def test_figures_on_image_sets_never_seen_have_a_star() -> None:
    scores = {"A": [score("raf_db", 0.9, seen=True)], "B": [score("raf_db", 0.65, seen=False)]}
    heads = {("raf_db", "test"): "RAF-DB (100)", ("tfeid", "valid"): "TFEID (20)"}

    said = sets_html(scores, heads, "accuracy", "A", with_ends=True)

    assert "<td>90.0<small>89.0 to 91.0</small></td><td>-</td>" in said
    assert '<td class="strange">65.0 *<small>64.0 to 66.0</small></td>' in said
    assert said.count('<tr class="marked">') == 1


def test_without_strange_image_sets_nothing_is_said_of_them() -> None:
    said = unseen_in_words({"A": [score("raf_db", 0.9, seen=True)]}, "A")

    assert said.startswith("No image set of enough pictures was shown both to networks")


def test_where_strange_sets_are_no_harder_both_figures_stand_alone() -> None:
    scores = {"A": [score("raf_db", 0.6, seen=True)], "B": [score("raf_db", 0.7, seen=False)]}

    said = unseen_in_words(scores, recipes={"A": "one", "B": "one"})

    assert "less often" not in said
    assert "70.0 % by “B”; 60.0 % by “A”, trained alike but with it." in said


@pytest.mark.parametrize("n", [1, 90])
def test_only_figures_on_the_same_pictures_are_compared(n: int) -> None:
    scores = {
        "A": [score("raf_db", 0.9, seen=True)],
        "B": [score("raf_db", 0.65, seen=False)],
        "C": [score("raf_db", 0.6, seen=False)],
        "one": [score("raf_db", 1.0, seen=True, n=n)],
        "other": [score("raf_db", 0.95, seen=False, n=n)],
    }

    said = unseen_in_words(scores, recipes={"A": "one", "B": "one", "other": "one"})
    plainly = unseen_in_words(scores)

    assert "65.0 % by “B”; 90.0 % by “A”, trained alike but with it." in said
    assert "other" not in said.partition("\n")[2]
    assert "65.0 % by “B”, the best never trained on it; 90.0 % by “A”, the best" in plainly


def test_few_pictures_are_compared_by_nobody_however_many_networks_were_asked() -> None:
    few = {name: [score("raf_db", 1.0, seen=name < "C", n=1)] for name in "ABCDE"}
    enough = {"X": [score("raf_db", 0.9, seen=True)], "Y": [score("raf_db", 0.6, seen=False)]}

    said = unseen_in_words(few | enough)

    assert "60.0 % by “Y”, the best never trained on it; 90.0 % by “X”, the best" in said
    assert unseen_in_words(few).startswith("No image set of enough pictures")


def test_networks_trained_differently_tell_nothing_of_the_cost() -> None:
    scores = {"A": [score("raf_db", 0.9, seen=True)], "B": [score("raf_db", 0.6, seen=False)]}

    said = unseen_in_words(scores, recipes={"A": "one", "B": "another"})

    assert "what a new kind of pictures costs is not known" in said
    assert "60.0 % by “B”, the best never trained on it; 90.0 % by “A”, the best" in said
