"""The explorer's ranking of doubtful labels: what it says of a picture, excluding and undoing."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from streamlit.testing.v1 import AppTest

from core.data import Dataset, exclude_path, load_dataset, prepare, read_exclude
from core.errors import DataError
from core.evaluation import LabelErrors, label_errors
from core.labels import EMOTIONS
from webapp.dataset_explorer import store
from webapp.dataset_explorer.mislabelled import is_fit, listed

PAGE = "../pages/dataset_explorer.py"
WRONG = "train/happiness/0.png"  # drawn as one of surprise


@pytest.fixture(scope="session")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared pictures, bright of happiness and dark of surprise; one carries the wrong label."""
    files = tmp_path_factory.mktemp("stripes")
    dice = np.random.default_rng(1)
    for split, count in (("train", 60), ("test", 30)):
        for emotion, grey in (("happiness", 200), ("surprise", 30)):
            folder = files / split / emotion
            folder.mkdir(parents=True)
            for number in range(count):
                path = folder / f"{number}.png"
                level = 30 if path.as_posix().endswith(WRONG) else grey
                cells = level + dice.integers(0, 50, (8, 8))
                square = np.kron(cells, np.ones((8, 8))).astype(np.uint8)
                PIL.Image.fromarray(square).save(path)
    out = tmp_path_factory.mktemp("prepared") / "stripes"
    prepare([f"folder={files}"], out, workers=1)
    return out


@pytest.fixture
def small(stripes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The set in a data root of this test's own."""
    root = tmp_path / "data"
    monkeypatch.setenv("GIMEFIVE_DATA", str(root))
    return Path(shutil.copytree(stripes, root / "stripes"))


@pytest.fixture
def judge(made_checkpoint: Callable[..., Path]) -> Path:
    """A network trained on these data, whose feature is the brightness."""
    return made_checkpoint(data={"split": "clean", "sources": ["folder"]})


def opened(app: AppTest, **address: str) -> AppTest:
    app.run().switch_page(PAGE)
    for name, value in {"view": "Mislabelled", **address}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.success, *app.error]
    return "\n".join(part.value for part in parts)


def wrong_id(folder: Path) -> int:
    table = load_dataset(folder).manifest
    return int(table.loc[table["path"].str.endswith(WRONG), "id"].iloc[0])


def tiles(app: AppTest) -> list[int]:
    keys = [str(button.key) for button in app.button if str(button.key).startswith("doubtful ")]
    return [int(key.split()[1]) for key in keys]


def first_tile(app: AppTest) -> int:
    return tiles(app)[0]


def keep_ranking(folder: Path, checkpoint: Path, doubtful: int) -> pd.DataFrame:
    """A kept ranking whose first labels, as many as told, are the doubtful ones."""
    found = label_errors(checkpoint, load_dataset(folder))
    table = found.table.assign(suspect=np.arange(len(found.table)) < doubtful)
    LabelErrors(table, found.facts).save(folder)
    return table


def test_a_ranking_that_was_cancelled_is_offered_again(
    app: AppTest, small: Path, judge: Path
) -> None:
    work = (str(small), str(judge), "train", 1000)
    app.session_state["ended work"] = ("map", work)  # of the same pictures
    opened(app)
    assert "was cancelled" not in words(app)
    app.session_state["ended work"] = ("ranking", work)
    app.run()
    assert "The ranking was cancelled." in words(app)
    assert tiles(app) == []

    app.button(key="cancel ranking again").click().run()

    assert first_tile(app) == wrong_id(small)


def test_the_wrong_label_comes_first_with_the_networks_answer(
    app: AppTest, small: Path, judge: Path
) -> None:
    opened(app)

    assert not app.error
    assert first_tile(app) == wrong_id(small)
    assert "Answer: **surprise**" in words(app)
    assert app.button(key=f"doubtful {wrong_id(small)}").label == "Label: happiness"
    assert not app.warning
    assert "logistic regression on what the network's last layer gets" in words(app)


def test_a_part_the_network_was_not_trained_on_is_judged_by_its_own_answers(
    app: AppTest, small: Path, judge: Path
) -> None:
    opened(app)

    app.selectbox(key="doubt part").set_value("test").run()

    assert not app.exception
    assert "the network itself, which was not trained on these pictures" in words(app)


def test_a_network_that_does_not_know_the_pictures_judges_no_labels(
    app: AppTest, small: Path, judge: Path
) -> None:
    """It answers surprise to all 60, with a probability of a half, and half of them are."""
    opened(app)

    app.selectbox(key="doubt part").set_value("test").run()

    assert not app.exception
    assert "Doubtful: **30 of 60 labels** (all of this part)." in words(app)
    assert "The network agrees with 50.0 % of the 60 labels." in words(app)
    assert "Answer: **surprise**  \n50.0 %  \nIts label: 10.0 %" in words(app)
    assert "exclude nothing in bulk" in app.warning[0].value
    assert "doubt all" not in {button.key for button in app.button}
    assert "doubt exclude" in {button.key for button in app.button}


@pytest.mark.parametrize(
    ("agreeing", "doubted", "fit"), [(10, 0, True), (5, 2, True), (4, 0, False), (10, 3, False)]
)
def test_a_network_is_fit_that_agrees_with_half_and_doubts_a_fifth(
    agreeing: int, doubted: int, *, fit: bool
) -> None:
    answers = ["fear"] * agreeing + ["anger"] * (10 - agreeing)
    suspect = [True] * doubted + [False] * (10 - doubted)
    table = pd.DataFrame({"label": "fear", "answer": answers, "suspect": suspect})

    assert is_fit(table) is fit


def test_only_the_doubtful_are_listed_until_the_others_are_asked_for(
    app: AppTest, small: Path, judge: Path
) -> None:
    table = keep_ranking(small, judge, 2)
    opened(app)

    assert tiles(app) == table["id"].head(2).tolist()
    assert not any("-badge[doubtful]" in part.value for part in app.markdown)
    assert app.number_input(key="page").max == 1

    app.toggle(key="doubt others").set_value(True).run()

    assert not app.exception
    assert tiles(app) == table["id"].head(24).tolist()
    assert sum("-badge[doubtful]" in part.value for part in app.markdown) == 2


def test_the_others_follow_the_doubtful_each_in_the_rankings_order() -> None:
    rows = pd.DataFrame({"id": [5, 3, 8, 1], "suspect": [False, True, False, True]})

    assert listed(rows, others=False)["id"].tolist() == [3, 1]
    assert listed(rows, others=True)["id"].tolist() == [3, 1, 5, 8]


def test_where_no_label_is_doubtful_none_is_listed(app: AppTest, small: Path, judge: Path) -> None:
    table = keep_ranking(small, judge, 0)
    opened(app)

    assert not tiles(app)
    assert not [box for box in app.checkbox if str(box.key).startswith("doubt ")]
    assert f"Doubtful: **0 of {len(table)} labels** (all of this part)." in words(app)
    assert [part.value for part in app.success] == ["None of these labels is doubtful."]

    app.toggle(key="doubt others").set_value(True).run()

    assert len(tiles(app)) == 24
    assert "doubt all" not in {button.key for button in app.button}


def test_the_agreement_is_said_to_be_that_of_a_classifier_fitted_anew(
    app: AppTest, small: Path, judge: Path
) -> None:
    """The one wrong label of all is the only one that it does not give."""
    number = len(keep_ranking(small, judge, 1))
    opened(app)

    share = f"{100 * (number - 1) / number:.1f} %"
    said = (
        f"A classifier fitted anew on this network's features agrees with {share} of the {number}"
    )
    assert f"{said} labels." in words(app)
    assert "The network's own answers, which the views Pictures and Map tell of" in words(app)


def test_the_pages_can_be_turned_below_the_pictures(app: AppTest, small: Path, judge: Path) -> None:
    opened(app)
    app.toggle(key="doubt others").set_value(True).run()
    begun = first_tile(app)

    next(button for button in app.button if button.label == "Next →").click().run()

    assert not app.exception
    assert app.number_input(key="page").value == 2
    assert first_tile(app) != begun


def test_chosen_pictures_are_excluded_and_taken_back(
    app: AppTest, small: Path, judge: Path
) -> None:
    opened(app)
    number = wrong_id(small)

    app.checkbox(key=f"doubt {number}").check().run()
    app.button(key="doubt exclude").click().run()

    pixels = load_dataset(small).manifest["pixel_hash"][number]
    listed = read_exclude(exclude_path(small))
    assert listed["pixel_hash"].tolist() == [pixels]
    assert listed["reason"].tolist() == ["probably mislabelled"]
    assert not tiles(app)
    assert "No doubtful label is left to show" in app.info[0].value

    app.button(key="undo exclude").click().run()

    assert not app.exception
    assert read_exclude(exclude_path(small)).empty
    assert first_tile(app) == number
    assert app.checkbox(key=f"doubt {number}").value is False


def test_a_whole_page_is_chosen_at_once(app: AppTest, small: Path, judge: Path) -> None:
    keep_ranking(small, judge, 20)
    opened(app)

    assert app.button(key="doubt all").label == "Choose all of this page"
    app.button(key="doubt all").click().run()
    app.button(key="doubt exclude").click().run()

    assert not app.exception
    assert len(read_exclude(exclude_path(small))) == 20


def test_among_the_others_only_the_doubtful_are_chosen_at_once(
    app: AppTest, small: Path, judge: Path
) -> None:
    table = keep_ranking(small, judge, 2)
    opened(app)
    app.toggle(key="doubt others").set_value(True).run()

    assert app.button(key="doubt all").label == "Choose the doubtful ones of this page"
    app.button(key="doubt all").click().run()
    app.button(key="doubt exclude").click().run()

    assert not app.exception
    taken = load_dataset(small).manifest["pixel_hash"][table["id"].head(2)]
    assert set(read_exclude(exclude_path(small))["pixel_hash"]) == set(taken)


def test_a_kept_ranking_of_the_whole_part_is_shown_instead_of_a_sample(
    app: AppTest, small: Path, judge: Path
) -> None:
    dataset = load_dataset(small)
    found = label_errors(judge, dataset)
    found.save(small)

    opened(app)

    assert f"of {len(found.table)} labels** (all of this part)" in words(app)
    assert "doubt amount" not in {box.key for box in app.selectbox}
    about = small / "dataset.json"
    about.write_text(about.read_text().replace(dataset.data_hash, "0" * 64))  # prepared anew
    os.utime(about, (0, 0))
    assert store.kept_label_errors(small, judge, "train") is None


def test_raters_votes_stand_below_the_pictures_they_are_of(
    app: AppTest, small: Path, judge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = wrong_id(small)
    given = pd.DataFrame({name: [0] for name in EMOTIONS}, index=[number])
    given[["surprise", "fear"]] = [7, 3]
    monkeypatch.setattr("core.data.rater_votes", lambda dataset: given)

    opened(app)
    app.toggle(key="doubt voted").set_value(True).run()

    assert not app.exception
    assert "Raters: surprise 7, fear 3" in words(app)
    assert first_tile(app) == number
    assert len([box for box in app.checkbox if str(box.key).startswith("doubt ")]) == 1


def test_votes_that_cannot_be_used_are_said_and_the_view_goes_on(
    app: AppTest, small: Path, judge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dataset: Dataset) -> None:
        raise DataError("ferplus-votes.csv lacks the columns fear.")

    monkeypatch.setattr("core.data.rater_votes", refuse)

    opened(app)

    assert [error.value for error in app.error] == ["ferplus-votes.csv lacks the columns fear."]
    assert first_tile(app) == wrong_id(small)


def test_a_part_too_small_is_one_sentence(app: AppTest, small: Path, judge: Path) -> None:
    opened(app)

    app.selectbox(key="doubt part").set_value("valid").run()

    assert not app.exception
    assert "a ranking needs 50" in app.error[0].value


def test_a_read_only_server_shows_the_ranking_and_no_way_to_exclude(
    app: AppTest, small: Path, judge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    opened(app)

    assert first_tile(app) == wrong_id(small)
    assert not [box for box in app.checkbox if str(box.key).startswith("doubt ")]
    assert "doubt exclude" not in {button.key for button in app.button}
