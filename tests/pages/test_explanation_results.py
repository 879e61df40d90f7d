"""The results page on explanations: what was measured, or how to measure it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_faithfulness import made_entry, made_report
from made_view import made_view
from results_views import view
from streamlit.testing.v1 import AppTest

from core.explain import FAITHFULNESS_FILE
from core.files import fingerprint, write_json
from core.global_view import global_view_file
from webapp.results.global_view import maps_in_words, parts_in_words


@pytest.fixture
def open_view(app: AppTest) -> Callable[[str], AppTest]:
    def open_it(name: str) -> AppTest:
        app.run()
        app.switch_page("../pages/results.py").run()
        app.segmented_control(key="view").set_value(name).run()
        assert not app.exception
        return app

    return open_it


@pytest.fixture
def run(made_checkpoint: Callable[..., Path]) -> Path:
    return made_checkpoint("one")


def keep(path: Path, content: dict[str, Any]) -> None:
    """Write a report of the weights that lie beside it."""
    mark = fingerprint(path.parent / "weights.safetensors")
    write_json(path, content | {"weights_fingerprint": mark})


def words(page: AppTest) -> str:
    return "\n".join(part.value for part in [*page.markdown, *page.caption, *page.info])


UNMEASURED = pytest.mark.parametrize(
    ("name", "command"),
    [
        ("Explanations", "python -m core faithfulness one"),
        ("Mean maps", "python -m core global-view one --split test"),
    ],
)


@UNMEASURED
def test_what_was_not_measured_names_its_command_on_a_server_that_writes_nothing(
    open_view: Callable[[str], AppTest],
    run: Path,
    name: str,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIMEFIVE_READ_ONLY", "1")

    page = open_view(name)

    assert page.code[0].value == command
    assert not [button for button in page.button if (button.key or "").startswith("measure ")]


@UNMEASURED
def test_what_cannot_be_measured_here_is_one_sentence_beside_the_way_to_the_data(
    open_view: Callable[[str], AppTest], run: Path, name: str, command: str
) -> None:
    page = open_view(name)
    page.button(key=f"measure {command.split()[3]}").click().run()

    assert not page.exception
    (error,) = [error.value for error in page.error]
    assert "should not have" not in error
    assert command in words(page)


@pytest.mark.parametrize(
    ("name", "verb", "file"),
    [
        ("Explanations", "faithfulness", FAITHFULNESS_FILE),
        ("Mean maps", "global-view", "global_view_test.json"),
    ],
)
def test_what_was_not_measured_is_measured_at_a_click(
    page: AppTest, own_runs: Path, name: str, verb: str, file: str
) -> None:
    view(page, name)
    page.button(key=f"measure {verb}").click().run(timeout=180)

    assert not page.exception
    assert not page.error
    assert (own_runs / "one" / file).is_file()
    assert not [button for button in page.button if (button.key or "").startswith("measure ")]


@pytest.mark.parametrize("name", ["Explanations", "Mean maps"])
def test_without_a_checkpoint_nothing_is_offered(
    open_view: Callable[[str], AppTest], own_runs: Path, name: str
) -> None:
    assert "no trained network here yet" in words(open_view(name))


def test_methods_stand_beside_their_controls(
    open_view: Callable[[str], AppTest], run: Path
) -> None:
    keep(run / "faithfulness.json", made_report())

    page = open_view("Explanations")

    table = page.dataframe[0].value
    assert table["Method"].tolist()[:3] == ["HiResCAM", "Layer-CAM", "Grad-CAM"]
    assert table["Gap"].tolist()[:3] == [0.3, 0.25, 0.1]
    assert table["Verdict"].tolist()[2] == ["does not beat"]
    assert table["Method"].tolist()[-1] == "Control: another face's map"
    text = words(page)
    assert "The app offers **HiResCAM** first" in text
    assert "The paper's Grad-CAM does not beat its controls: its gap is 0.100" in text
    assert "31 % of its maps are blank" in text
    assert "CAM does not apply" in text
    labels = {getattr(button, "label", "") for button in page.get("download_button")}
    assert labels == {
        "Markdown",
        "CSV",
        "LaTeX",
        "JSON",
    }


def test_a_report_on_other_data_can_be_chosen_beside_the_runs_own(
    open_view: Callable[[str], AppTest], run: Path
) -> None:
    keep(run / "faithfulness.json", made_report())
    other = run / "evaluations" / "mine"
    other.mkdir(parents=True)
    mark = fingerprint(run / "weights.safetensors")
    only = made_report(methods={"layer_cam": made_entry(0.2)}, weights_fingerprint=mark)
    write_json(other / "faithfulness.json", only)

    page = open_view("Explanations")
    assert page.dataframe[0].value["Method"].tolist()[0] == "HiResCAM"
    page.selectbox(key="explained on one").set_value("mine").run()

    assert not page.exception
    assert page.dataframe[0].value["Method"].tolist()[0] == "Layer-CAM"
    assert "On these data it would be **Layer-CAM**" in words(page)


def test_where_no_method_passes_the_page_says_so(
    open_view: Callable[[str], AppTest], run: Path
) -> None:
    failing = {"grad_cam": made_entry(0.1, verdict="does not beat its controls")}
    keep(run / "faithfulness.json", made_report(methods=failing))

    assert "No quick method beats all three controls" in words(open_view("Explanations"))


def test_mean_maps_and_regions_of_right_answers(
    open_view: Callable[[str], AppTest], run: Path
) -> None:
    keep(global_view_file(run, "test"), made_view())

    page = open_view("Mean maps")

    key, tiles = (html.proto.body for html in page.get("html")[:2])
    assert "left:25.0%" in key  # 1 of 0 to 4
    assert all(number in key for number in (">0<", ">1<", ">4.0<"))
    assert "Mean map of happiness on the mean face" in tiles
    assert "happiness<br>40 faces" in tiles
    assert "no map" not in tiles
    text = words(page)
    assert "The method of explanation is Layer-CAM." in text
    assert "blocks.block2.pool" not in text
    (helped,) = [caption.help for caption in page.caption if "Layer-CAM" in caption.value]
    assert "Taken at the layer named blocks.block2.pool" in helped
    assert "3 left out" in text
    assert "**Hidden**: how many percentage points an answer's probability loses" in text
    table = page.dataframe[0].value
    assert table["Part"].tolist() == ["mouth", "background"]
    assert table["fear"].tolist() == ["30.0 (25.0 to 35.0)"] * 2


def test_the_mean_maps_begin_with_the_parts_answers_rest_on() -> None:
    view = made_view()
    happy, _, fear, wrong = view["groups"]
    happy["regions"] = parts(brows=[0.2, 0.1, 0.3], mouth=[0.3, 0.2, 0.4], chin=[0.3, -0.1, 0.7])
    fear["regions"] = parts(eyes=[0.348, 0.3, 0.4], mouth=[0.1, 0.05, 0.2])

    assert parts_in_words(view, right=True) == (
        "**Fear** rests most on the eyes (hiding them costs 34.8 points of probability); "
        "**happiness** on the mouth (30.0) and the brows (20.0)."
    )
    assert parts_in_words(view, right=False) == ""  # two faces tell nothing
    wrong["n"], wrong["regions"] = 30, fear["regions"]
    assert parts_in_words(view, right=False) == (
        "Of wrong answers, those to faces labelled **fear** rest most on the eyes (hiding them "
        "costs 34.8 points of probability)."
    )


def test_maps_are_told_beside_what_hiding_names() -> None:
    view = made_view()
    happy, _, fear, _ = view["groups"]
    happy["regions"] = {
        "mouth": {"lift": [2.0, 1.5, 2.5], "drop": [0.3, 0.2, 0.4]},
        "brows": {"lift": [3.0, 0.9, 5.0], "drop": [0.1, 0.05, 0.2]},  # may be no more than size
    }
    fear["regions"] = {
        "eyes": {"lift": [1.8, 1.2, 2.0], "drop": [0.1, 0.05, 0.2]},
        "mouth": {"lift": [1.2, 1.1, 1.4], "drop": [0.2, 0.1, 0.3]},
    }

    assert maps_in_words(view, right=True) == (
        "For their size the maps are **strongest** on the mouth for happiness; the eyes for fear. "
        "Hiding parts whole, below, names the same part for happiness; another one for fear (the "
        "mouth)."
    )
    assert maps_in_words(view, right=False) == ""  # two faces tell nothing


def parts(**drops: list[float]) -> dict[str, Any]:
    return {name: {"drop": drop} for name, drop in drops.items()}


def test_wrong_answers_are_shown_apart(open_view: Callable[[str], AppTest], run: Path) -> None:
    keep(global_view_file(run, "test"), made_view())
    page = open_view("Mean maps")

    page.segmented_control(key="viewed answers").set_value("Wrong answers").run()

    assert not page.exception
    tiles = page.get("html")[1].proto.body
    assert tiles.count("no map") == 1  # nobody happy was called anything else
    assert "happiness<br>0 faces" in tiles
    assert "speak for the wrong answer" in words(page)


@pytest.mark.parametrize(
    ("measure", "said"),
    [("share", "Evidence: in % of the evidence"), ("lift", "times as much as the part's size")],
)
def test_other_measures_can_be_chosen(
    open_view: Callable[[str], AppTest], run: Path, measure: str, said: str
) -> None:
    keep(global_view_file(run, "test"), made_view())
    page = open_view("Mean maps")

    page.segmented_control(key="region measure").set_value(measure).run()

    assert not page.exception
    assert said in words(page)
