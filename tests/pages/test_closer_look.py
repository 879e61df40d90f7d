"""The lower part of the image page: parts of a face, contrasts, methods, and whether maps hold."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from made_faithfulness import made_entry, made_report
from photos import sample_photo
from streamlit.testing.v1 import AppTest
from visits import elements, texts, with_sample

from core import EMOTIONS
from core.checkpoints import DEFAULT_CHECKPOINT
from core.files import fingerprint
from core.models import Card, build, save_weights

PAGE = "../pages/image_explanation.py"
CONTRAST, METHODS = "Why this and not that", "Methods side by side"
FAITHFULNESS = "Is the map true?"
Made = Callable[..., Path]


@pytest.fixture
def opened(app: AppTest, made_checkpoint: Made) -> AppTest:
    """The page with the sample and a network whose only evidence is brightness, for surprise."""
    made_checkpoint(weight=8.0)
    return with_sample(app.run().switch_page(PAGE).run())


def turn_to(app: AppTest, view: str) -> AppTest:
    app.button_group(key="view").set_value(view).run()
    assert not app.exception
    return app


def choose(app: AppTest, method: str) -> AppTest:
    return app.selectbox(key="method").set_value(method).run()


def pair(app: AppTest) -> list[Any]:
    """The boxes of the two expressions that are compared."""
    return [box for box in app.selectbox if "this" in box.label or "that" in box.label]


def chart(app: AppTest, place: int) -> dict[str, Any]:
    """One trace of a chart."""
    found: dict[str, Any] = json.loads(elements(app, "plotly_chart")[place].proto.spec)
    return dict(found["data"][0])


def measured(folder: Path, **entry: object) -> None:
    """Write a report that knows Smooth Layer-CAM at the made network's only ReLU."""
    known: dict[str, Any] = {"layer": "blocks.block1.relu", "insertion": 0.75, "ci": [0.2, 0.3]}
    report = made_report(
        weights_fingerprint=fingerprint(folder / "weights.safetensors"),
        methods={"smooth_layer_cam": made_entry(**{"gap": 0.25, **known, **entry})},
        controls={"centre": {"gap": 0.125, "ci": [0.1, 0.15]}},
        refused={},
    )
    (folder / "faithfulness.json").write_text(json.dumps(report))


def test_the_sentence_tells_the_probability_above_it(opened: AppTest) -> None:
    heading = next(text.value for text in opened.markdown if text.value.startswith("#### Face 1"))
    share = float(heading.split(", ")[1].removesuffix(" %"))

    assert f"The network answers surprise ({share:.1f} %)." in texts(opened, "markdown")


def test_each_part_has_a_bar_and_a_picture(opened: AppTest) -> None:
    parts = ["forehead", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "background"]

    assert chart(opened, 0)["y"] == parts
    assert chart(opened, 1)["y"] == parts
    tiles = texts(opened, "html")
    assert tiles.count("<img") >= 9
    assert all(f"without {part}" in tiles for part in parts)


def test_shares_of_the_map_sum_to_one(opened: AppTest) -> None:
    shares = chart(opened, 1)

    assert sum(shares["x"]) == pytest.approx(1)


def test_signed_evidence_is_read_from_a_signed_method(opened: AppTest) -> None:
    opened.button_group(key="described").set_value("For and against").run()

    assert not opened.exception
    assert "Taken at the layer named blocks.block1.relu" in texts(opened, "caption")
    assert "Another method stands in here" in texts(opened, "caption")


def test_all_combinations_are_measured_when_asked_for(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "enough to change it" not in texts(opened, "markdown")

    opened.button_group(key="hiding").set_value("All combinations").run()

    assert not opened.exception
    assert "Fair share of each part in the logit of surprise" in texts(opened, "caption")
    said = texts(opened, "markdown")
    assert "No set of hidden parts changes" in said or "is enough to change it to" in said


def test_the_textbook_is_told_apart_from_truth(opened: AppTest) -> None:
    said = texts(opened, "markdown")

    assert "nothing to compare with the textbook pattern of surprise" in said
    assert "onsistent" not in said.split("textbook pattern")[0].split("\n")[-1]
    assert "inner brow raiser" in said.lower()
    assert "It says nothing of whether a map is true." in texts(opened, "caption")


def test_without_landmarks_a_sentence_says_what_to_do(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.faces.finding.fit_landmarks", lambda *_: np.zeros((68, 2)))

    opened.selectbox(key="detector").set_value("whole").run()

    assert not opened.exception
    assert not opened.error
    assert any("none could be fitted here" in info.value for info in opened.info)


def test_without_a_face_there_is_no_closer_look(opened: AppTest) -> None:
    opened.button_group(key="source").set_value("Upload").run()

    assert "A closer look" not in texts(opened, "subheader")


def test_a_method_that_does_not_apply_leaves_what_is_measured(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import ExplainError
    from core.predict import Predictor

    explain = Predictor.explain

    def refusing(self: Predictor, crop: Any, method: str, layer: str | None = None) -> Any:  # noqa: ANN401
        if method == "cam":
            raise ExplainError("CAM needs another head. Use Grad-CAM.")
        return explain(self, crop, method, layer)

    monkeypatch.setattr(Predictor, "explain", refusing)

    choose(opened, "cam")

    assert not opened.exception
    assert [error.value for error in opened.error] == ["CAM needs another head. Use Grad-CAM."]
    assert "The network answers surprise" in texts(opened, "markdown")

    turn_to(opened, METHODS)
    opened.multiselect(key="methods").set_value(["cam", "layer_cam"]).run()
    assert not opened.exception
    assert ["CAM does not apply" in warning.value for warning in opened.warning] == [True]
    assert "Layer-CAM, map of 64 x 64 fields" in texts(opened, "html")


def test_the_contrast_begins_with_answer_and_runner_up(opened: AppTest) -> None:
    turn_to(choose(opened, "hires_cam"), CONTRAST)

    assert [box.value for box in pair(opened)] == ["surprise", "happiness"]
    assert "surprise<br>rather than happiness" in texts(opened, "html")
    assert not opened.info
    # Happiness has no evidence of its own, so the difference is the map of surprise.
    assert "(logits) differ by" in texts(opened, "caption")
    assert "blank</div>" in texts(opened, "html")


def test_a_method_without_signs_is_replaced_and_says_so(opened: AppTest) -> None:
    turn_to(opened, CONTRAST)

    assert any("Layer-CAM keeps only what speaks for" in info.value for info in opened.info)
    assert "Taken at the layer named blocks.block1.relu" in texts(opened, "caption")


def test_an_expression_is_not_compared_with_itself(opened: AppTest) -> None:
    turn_to(opened, CONTRAST)

    pair(opened)[1].set_value("surprise").run()

    assert not opened.exception
    assert any("two different expressions" in info.value for info in opened.info)


def test_methods_stand_side_by_side_and_blank_maps_are_marked(opened: AppTest) -> None:
    turn_to(opened, METHODS)

    opened.multiselect(key="methods").set_value(["grad_cam", "layer_cam"]).run()

    grid = texts(opened, "html")
    rows = grid[grid.index("Grad-CAM, map of") :]
    assert (rows.count("<img"), rows.count("blocks.block1")) == (12, 0)
    assert rows.count(">blank</div>") == 10  # all but surprise, by either method


def test_no_method_at_all_is_asked_for_one(opened: AppTest) -> None:
    turn_to(opened, METHODS)

    opened.multiselect(key="methods").set_value([]).run()

    assert any("at least one method" in info.value for info in opened.info)


def test_badges_come_from_the_checkpoints_own_report(app: AppTest, made_checkpoint: Made) -> None:
    folder = made_checkpoint(weight=8.0)
    with_sample(app.run().switch_page(PAGE).run())
    assert "not tested for this network" in texts(app, "markdown")

    measured(folder)
    app.run()

    assert "on test faces: truer than blind maps" in texts(app, "markdown")
    assert "| gap | +0.250 (+0.200 to +0.300) |" in texts(app, "markdown")
    assert "not measured" not in texts(app, "markdown")


def test_a_report_of_other_weights_is_not_shown(app: AppTest, made_checkpoint: Made) -> None:
    folder, other = made_checkpoint(weight=8.0), made_checkpoint("other", share=0.75)
    measured(folder)
    (other / "weights.safetensors").replace(folder / "weights.safetensors")
    stamp = (folder / "card.json").stat().st_mtime + 10
    os.utime(folder / "weights.safetensors", (stamp, stamp))

    with_sample(app.run().switch_page(PAGE).run())

    assert "not tested for this network" in texts(app, "markdown")


def test_a_layer_that_was_not_measured_says_so(app: AppTest, made_checkpoint: Made) -> None:
    measured(made_checkpoint(weight=8.0))
    with_sample(app.run().switch_page(PAGE).run())

    app.selectbox(key="layer").set_value("blocks.block1.conv").run()

    assert not app.exception
    assert "Taken at the layer named blocks.block1.conv" in texts(app, "caption")
    assert "not measured at this layer" in texts(app, "markdown")


def test_one_face_is_tested_when_asked_for_and_stays_tested(opened: AppTest) -> None:
    turn_to(opened, FAITHFULNESS)
    assert "On this face, the map" not in texts(opened, "markdown")

    opened.button(key="measure").click().run()

    assert not opened.exception
    assert "On this face, the map" in texts(opened, "markdown")
    assert chart(opened, 0)["y"] == ["this map", "a fixed blob in the middle", "random maps, mean"]
    opened.slider(key="opacity").set_value(20).run()
    assert "On this face, the map" in texts(opened, "markdown")


def test_a_blank_map_is_not_tested_but_named(opened: AppTest) -> None:
    turn_to(opened, FAITHFULNESS)
    next(box for box in opened.selectbox if box.label == "Map of").set_value("fear").run()

    opened.button(key="measure").click().run()

    assert "The map is blank" in texts(opened, "markdown")


def test_a_link_opens_a_view(app: AppTest, made_checkpoint: Made) -> None:
    made_checkpoint(weight=8.0)
    app.run().switch_page(PAGE)
    app.query_params["source"], app.query_params["view"] = "Sample photo", METHODS

    app.run()

    assert not app.exception
    assert app.multiselect(key="methods").value


def test_turning_to_another_view_looks_at_no_face_again(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_to(opened, CONTRAST)
    turn_to(opened, "Parts of the face")
    monkeypatch.setattr("webapp.image_explanation.subject.region_report", None)
    monkeypatch.setattr("core.predict.Predictor.explain", None)

    turn_to(opened, CONTRAST)
    turn_to(opened, "Parts of the face")

    assert not opened.error


def test_each_face_of_a_photo_can_be_looked_at(app: AppTest, made_checkpoint: Made) -> None:
    made_checkpoint(weight=8.0)
    app.run().switch_page(PAGE).run()
    crowd = io.BytesIO()
    PIL.Image.fromarray(np.hstack([sample_photo()] * 2)).save(crowd, "PNG")
    app.file_uploader(key="files").set_value([("two.png", crowd.getvalue(), "image/png")]).run()
    assert not app.exception

    app.button(key="face 1").click().run()

    assert not app.exception
    assert not app.error
    assert "The network answers surprise" in texts(app, "markdown")


def test_a_layer_the_next_checkpoint_lacks_is_forgotten(
    app: AppTest, made_checkpoint: Made, own_runs: Path
) -> None:
    made_checkpoint(weight=8.0)
    options = {"depth": 2, "width": 2, "batch_norm": False, "fc_depth": 1}
    model = build("gimefive", len(EMOTIONS), **options)
    (own_runs / "deeper").mkdir()
    save_weights(model.state_dict(), own_runs / "deeper" / "weights.safetensors", half=False)
    Card(model="gimefive", model_options=options, labels=EMOTIONS).save(
        own_runs / "deeper" / "card.json"
    )
    app.run().switch_page(PAGE)
    app.query_params["checkpoint"], app.query_params["source"] = "deeper", "Sample photo"
    app.run()
    app.selectbox(key="layer").set_value("blocks.block2.conv").run()
    assert "Taken at the layer named blocks.block2.conv" in texts(app, "caption")

    app.selectbox(key="checkpoint").set_value(DEFAULT_CHECKPOINT).run()

    assert not app.exception
    assert not app.error
    assert "Taken at the layer named blocks.block1.relu" in texts(app, "caption")


def test_a_coarse_map_is_replaced_before_it_is_read_by_parts(app: AppTest, own_runs: Path) -> None:
    options = {"depth": 4, "width": 2, "batch_norm": False, "fc_depth": 1}  # ends in 8 x 8 cells
    model = build("gimefive", len(EMOTIONS), **options)
    folder = own_runs / DEFAULT_CHECKPOINT
    folder.mkdir()
    save_weights(model.state_dict(), folder / "weights.safetensors", half=False)
    Card(model="gimefive", model_options=options, labels=EMOTIONS).save(folder / "card.json")
    with_sample(app.run().switch_page(PAGE).run())

    choose(app, "grad_cam")

    assert not app.exception
    assert not app.error
    assert "Taken at the layer named blocks.block3.relu" in texts(app, "caption")
    assert "too coarse to tell the parts apart" in texts(app, "caption")
