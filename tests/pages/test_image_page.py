"""The image page: photos in, explained faces out, and one sentence for whatever is wrong."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from bad_pictures import animation, png_bomb
from photos_page import (
    PAGE,
    PHOTO,
    as_jpeg,
    headings,
    images,
    picture,
    upload,
)
from streamlit.testing.v1 import AppTest
from visits import elements, with_sample

from core import Explanation
from core.predict import Predictor

Made = Callable[..., Path]


def test_the_empty_page_says_how_to_begin(opened: AppTest) -> None:
    assert not opened.exception
    assert not opened.error
    assert [info.value.split(",")[0] for info in opened.info] == ["Upload one or more photos"]
    assert images(opened) == 0


def test_the_sample_photo_is_answered_with_the_known_probabilities(opened: AppTest) -> None:
    with_sample(opened)

    assert not opened.exception
    assert not opened.error
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]
    (bars,) = [
        text.proto.body
        for text in elements(opened, "html")
        if "probability-bars" in text.proto.body
    ]
    assert re.findall(r">(\w+)</div>", bars)[:2] == ["happiness", "surprise"]
    assert re.findall(r">([\d.]+ %)<", bars) == ["10.0 %", "50.0 %", *["10.0 %"] * 4]
    assert images(opened) == 3  # the photo; face, map and overlay in one; the parts of the face


def group() -> bytes:
    """Two faces, one beside its mirror image."""
    face = np.asarray(PIL.Image.open(io.BytesIO(PHOTO)).convert("RGB"))[:230, 84:364]
    canvas = np.full((300, 700, 3), 120, np.uint8)
    canvas[30:260, 30:310], canvas[30:260, 390:670] = face, face[:, ::-1]
    stream = io.BytesIO()
    PIL.Image.fromarray(canvas).save(stream, "PNG")
    return stream.getvalue()


def test_of_a_group_one_face_at_a_time_is_shown(opened: AppTest) -> None:
    upload(opened, ("group.png", group()))

    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]
    opened.button(key="face 1").click().run()
    assert headings(opened) == ["#### Face 2: surprise, 50.0 %"]
    assert opened.query_params["face"] == "2"
    assert any("At face 2" in caption.value for caption in opened.caption)


def test_another_photo_begins_with_its_first_face(opened: AppTest) -> None:
    upload(opened, ("group.png", group()))
    opened.button(key="face 1").click().run()

    opened.button_group(key="source").set_value("Sample photo").run()

    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]
    assert "face" not in opened.query_params


def test_of_a_slow_method_only_the_face_shown_gets_a_map_until_all_are_asked_for(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain, calls = Predictor.explain, list[str]()

    def counting(self: Predictor, crop: object, method: str, layer: str | None) -> Explanation:
        calls.append(method)
        return explain(self, crop, method, layer)  # type: ignore[arg-type]

    monkeypatch.setattr(Predictor, "explain", counting)
    opened.selectbox(key="method").set_value("occlusion").run()
    upload(opened, ("group.png", group()))
    assert calls.count("occlusion") == 1

    opened.button(key="all maps").click().run()
    assert calls.count("occlusion") == 2


def test_an_upload_is_still_there_after_another_page_until_it_is_put_away(opened: AppTest) -> None:
    upload(opened, ("group.png", group()))

    opened.switch_page("../pages/home.py").run()
    opened.switch_page("../pages/layer_activations.py").run()
    assert any("before: group.png" in caption.value for caption in opened.caption)
    opened.switch_page(PAGE).run()
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]

    opened.button(key="put away").click().run()
    assert headings(opened) == []


def test_the_empty_page_leads_to_the_sample(opened: AppTest) -> None:
    opened.button(key="try sample").click().run()

    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_a_blank_map_is_called_blank(opened: AppTest) -> None:
    with_sample(opened)

    assert any("is blank: no positive evidence for surprise." in i.value for i in opened.info)


def test_a_map_that_is_not_blank_has_a_colour_bar_and_says_if_all_is_against(
    app: AppTest, made_checkpoint: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_checkpoint(weight=1.0)
    with_sample(app.run().switch_page(PAGE).run())

    assert not app.info
    assert any("the strongest in the picture" in html.value for html in elements(app, "html"))

    monkeypatch.setattr(Explanation, "speaks_only_against", lambda self, label: True)
    assert "only evidence against: nothing on this face speaks for" in app.run().info[0].value


def test_the_map_of_another_expression_can_be_asked_for(
    app: AppTest, made_checkpoint: Made
) -> None:
    made_checkpoint(weight=1.0)
    with_sample(app.run().switch_page(PAGE).run())

    app.selectbox(key="target").set_value("fear").run()

    assert headings(app)[0].startswith("#### Face 1: surprise")
    assert [i.value.split(".")[0] for i in app.info] == [
        "The map is blank: no positive evidence for fear"
    ]


def test_the_maps_of_all_expressions_are_drawn_when_opened(opened: AppTest) -> None:
    before = images(with_sample(opened))

    opened.session_state["maps_1"] = True
    opened.run()

    assert images(opened) == before + 6
    assert sum(", blank" in caption.value for caption in opened.caption) == 6


def test_downloads_are_offered(opened: AppTest) -> None:
    with_sample(opened)

    labels = [button.label for button in elements(opened, "download_button")]
    assert labels == ["PNG", "JSON", "CSV", *("PNG", "SVG", "JSON")]  # of the photo; of a face


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("notes.jpg", b"Dear diary, this is no picture.", "text that begins with"),
        ("cut.jpg", picture("JPEG")[:2000], "cut short or damaged"),
        ("bomb.png", png_bomb(), "at most 51 million pixels"),
        ("dance.gif", animation(), "animated GIF"),
        ("empty.png", b"", "The file is empty"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_the_good_one_its_result(
    opened: AppTest, name: str, data: bytes, sentence: str
) -> None:
    upload(opened, (name, data), ("good.png", PHOTO))

    assert not opened.exception
    assert len(opened.error) == 1
    assert opened.error[0].value.startswith(name)
    assert sentence in opened.error[0].value
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_a_file_that_is_too_large_is_refused_by_the_server_too(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.inputs.LARGEST_PICTURES", 1)

    upload(opened.run(), ("large.png", PHOTO + bytes(2**20)), ("good.png", PHOTO))

    assert not opened.exception
    assert len(opened.error) == 1
    assert opened.error[0].value.startswith("large.png")
    assert "it has 1.8 MB; expected at most 1." in opened.error[0].value
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_a_picture_of_one_pixel_is_taken_whole_and_says_so(opened: AppTest) -> None:
    upload(opened, ("dot.png", picture("PNG", (1, 1))))

    assert not opened.exception
    assert not opened.error
    assert any("it was taken as one face" in info.value for info in opened.info)
    assert "dot.png, 1 x 1 pixels, taken whole" in [one.value for one in opened.caption]


def test_a_picture_without_a_face_gets_advice(opened: AppTest) -> None:
    upload(opened, ("ramp.jpg", picture("JPEG")))

    assert not opened.error
    assert headings(opened) == []
    assert "No face was found" in opened.warning[0].value


def test_the_whole_picture_can_be_taken_as_the_face(opened: AppTest) -> None:
    upload(opened, ("ramp.jpg", picture("JPEG")))

    opened.selectbox(key="detector").set_value("whole").run()

    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_of_several_files_each_can_be_shown(opened: AppTest) -> None:
    upload(opened, ("ramp.jpg", picture("JPEG")), ("good.png", PHOTO))

    shown = opened.selectbox(key="shown")
    assert shown.options == ["ramp.jpg: no face found", "good.png: surprise"]
    assert headings(opened) == []

    shown.set_value(1).run()
    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]


def test_a_file_may_be_called_anything(opened: AppTest) -> None:
    upload(opened, ("![x](http://a.b/c) <b>*y*.png", b"no"))

    assert opened.error[0].value.startswith(r"!\[x\](http\://a.b/c) \<b\>\*y\*.png\:")


def test_a_camera_snapshot_is_analysed(opened: AppTest) -> None:
    opened.button_group(key="source").set_value("Camera").run()

    opened.camera_input[0].upload("shot.jpg", as_jpeg(PHOTO)).run()

    assert headings(opened) == ["#### Face 1: surprise, 50.0 %"]
