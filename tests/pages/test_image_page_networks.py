"""The image page and its checkpoints: none, others, damaged ones, new weights, odd methods."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from photos_page import PAGE, PHOTO, headings, images, picture, upload
from streamlit.testing.v1 import AppTest
from visits import with_sample

from core.predict import Predictor

Made = Callable[..., Path]


def test_without_any_checkpoint_one_sentence_is_shown(app: AppTest) -> None:
    app.run().switch_page(PAGE).run()

    assert not app.exception
    assert len(app.error) == 1
    assert "There is no checkpoint" in app.error[0].value


def test_a_link_to_a_checkpoint_that_is_not_here_says_so(
    app: AppTest, made_checkpoint: Made
) -> None:
    made_checkpoint()
    app.run().switch_page(PAGE)
    app.query_params["checkpoint"] = "lost"
    app.run()

    assert not app.exception
    assert [error.value.split(",")[0] for error in app.error] == [
        "The link asks for a checkpoint 'lost'"
    ]


def test_a_link_chooses_checkpoint_and_method(app: AppTest, made_checkpoint: Made) -> None:
    made_checkpoint()
    made_checkpoint("other", share=0.75)
    app.run().switch_page(PAGE)
    for name, value in (
        ("checkpoint", "other"),
        ("method", "layer_cam"),
        ("source", "Sample photo"),
    ):
        app.query_params[name] = value

    app.run()

    assert not app.exception
    assert app.selectbox(key="checkpoint").value == "other"
    assert app.selectbox(key="method").value == "layer_cam"
    assert headings(app) == ["#### Face 1: surprise, 75.0 %"]


def test_the_network_chosen_goes_along_to_other_pages(app: AppTest, made_checkpoint: Made) -> None:
    made_checkpoint()
    made_checkpoint("other", share=0.75)
    app.run().switch_page(PAGE).run()
    app.selectbox(key="checkpoint").set_value("other").run()
    assert "other" in app.query_params["checkpoint"]

    app.query_params.clear()  # as links of the sidebar do
    app.switch_page("../pages/layer_activations.py").run()

    assert app.selectbox(key="checkpoint").value == "other"
    assert "other" in app.query_params["checkpoint"]


def test_weights_that_do_not_fit_the_card_give_one_sentence_until_repaired(
    app: AppTest, made_checkpoint: Made
) -> None:
    card = made_checkpoint() / "card.json"
    good = card.read_text()
    card.write_text(good.replace('"fear"', '"fear", "neutral"'))

    with_sample(app.run().switch_page(PAGE).run())

    assert not app.exception
    assert [error.value for error in app.error if "do not fit its card" in error.value]
    assert len(app.error) == 1
    assert images(app) == 0

    card.write_text(good)
    app.run()
    assert not app.error
    assert headings(app) == ["#### Face 1: surprise, 50.0 %"]


def test_new_weights_in_the_same_folder_are_used(app: AppTest, made_checkpoint: Made) -> None:
    folder, other = made_checkpoint(), made_checkpoint("other", share=0.75)
    with_sample(app.run().switch_page(PAGE).run())
    assert headings(app) == ["#### Face 1: surprise, 50.0 %"]

    (other / "weights.safetensors").replace(folder / "weights.safetensors")
    stamp = (folder / "card.json").stat().st_mtime + 10
    os.utime(folder / "weights.safetensors", (stamp, stamp))
    app.run()

    assert headings(app) == ["#### Face 1: surprise, 75.0 %"]


def test_a_method_that_does_not_fit_the_network_costs_only_the_maps(opened: AppTest) -> None:
    with_sample(opened)

    opened.selectbox(key="method").set_value("cam").run()

    assert not opened.exception
    assert len(opened.error) <= 1
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_an_unforeseen_error_is_logged_and_the_other_files_go_on(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    analyse = Predictor.analyse

    def failing(self: Predictor, image: np.ndarray, **options: object) -> object:
        if image.shape[0] == 300:
            raise RuntimeError("secret path /etc/passwd")
        return analyse(self, image, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "analyse", failing)

    upload(opened, ("ramp.jpg", picture("JPEG")), ("good.png", PHOTO))

    assert not opened.exception
    assert len(opened.error) == 1
    assert "should not have" in opened.error[0].value
    assert "secret" not in opened.error[0].value
    assert "secret path" in caplog.text
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_moving_a_slider_looks_for_no_face_again(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_sample(opened)
    calls: list[str] = []
    for name in ("analyse", "explain"):
        monkeypatch.setattr(Predictor, name, lambda *_, name=name, **__: calls.append(name))

    opened.slider(key="opacity").set_value(20).run()
    opened.toggle(key="landmarks").set_value(False).run()
    opened.selectbox(key="target").set_value("anger").run()

    assert not opened.exception
    assert not opened.error
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]
    assert calls == []
