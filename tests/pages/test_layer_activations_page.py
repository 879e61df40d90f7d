"""The page of layers: every layer, every channel, for a face."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest
import torch
from streamlit.testing.v1 import AppTest
from visits import elements, texts, with_sample

from core.checkpoints import DEFAULT_CHECKPOINT
from core.models import Card, build, save_weights

PAGE = "../pages/layer_activations.py"
Made = Callable[..., Path]


@pytest.fixture
def opened(app: AppTest, made_checkpoint: Made) -> AppTest:
    made_checkpoint(weight=8.0)
    return app.run().switch_page(PAGE).run()


@pytest.fixture
def wide(app: AppTest, own_runs: Path) -> AppTest:
    """The page with the sample and a network of 30 channels, which needs two pages."""
    options = {"depth": 1, "width": 30, "batch_norm": False, "fc_depth": 1}
    model = build("gimefive", 6, **options)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    state["blocks.block1.conv.weight"][:] = 0
    # Channel n answers n + 1 everywhere, but for the first 20, which answer below zero.
    numbers = torch.arange(30)
    state["blocks.block1.conv.bias"][:] = (numbers + 1) * torch.where(numbers < 20, -1, 1)
    folder = own_runs / DEFAULT_CHECKPOINT
    folder.mkdir()
    save_weights(state, folder / "weights.safetensors", half=False)
    labels = ("happiness", "surprise", "sadness", "anger", "disgust", "fear")
    Card(model="gimefive", model_options=options, labels=labels).save(folder / "card.json")
    return with_sample(app.run().switch_page(PAGE).run())


def tiles(app: AppTest) -> list[int]:
    """Numbers of the channels in the grid."""
    keys = [str(button.key) for button in app.button if str(button.key).startswith("channel ")]
    return [int(key.removeprefix("channel ")) for key in keys]


def test_the_empty_page_says_how_to_begin(opened: AppTest) -> None:
    assert not opened.exception
    assert [info.value.split(",")[0] for info in opened.info] == ["Upload one or more photos"]


def test_without_any_checkpoint_one_sentence_is_shown(app: AppTest) -> None:
    app.run().switch_page(PAGE).run()

    assert not app.exception
    assert len(app.error) == 1
    assert "There is no checkpoint" in app.error[0].value


def test_every_layer_is_offered_with_what_it_gives(opened: AppTest) -> None:
    with_sample(opened)

    assert not opened.exception
    assert opened.selectbox(key="layer").options == [
        "blocks.block1.conv: Conv2d, 1 channel of 64 x 64",
        "blocks.block1.relu: ReLU, 1 channel of 64 x 64",
        "blocks.block1.pool: MaxPool2d, 1 channel of 32 x 32",
        *opened.selectbox(key="layer").options[3:],
    ]
    assert opened.selectbox(key="layer").options[-1].endswith("6 values")


def test_the_list_of_layers_opens(opened: AppTest) -> None:
    with_sample(opened)

    opened.session_state["all"] = True
    opened.run()

    table = opened.dataframe[0].value
    assert table["output"].iloc[0] == "1 x 64 x 64"
    assert table["kind"].iloc[0] == "Conv2d"


def test_a_channel_is_enlarged_with_its_figures(wide: AppTest) -> None:
    wide.selectbox(key="layer").set_value("blocks.block1.relu").run()

    assert not wide.exception
    assert wide.number_input(key="channel").value == 29
    assert "Mean **30**, peak **30**, above zero in **100.0 %** of its 64 x 64 places" in texts(
        wide, "markdown"
    )


def test_channels_come_in_pages_by_their_mean(wide: AppTest) -> None:
    wide.selectbox(key="layer").set_value("blocks.block1.relu").run()

    # The ten that answer, strongest first; all others are zero, in the order of their numbers.
    assert tiles(wide) == [*range(29, 19, -1), *range(14)]

    wide.session_state["page blocks.block1.relu 30"] = 2
    wide.run()
    assert tiles(wide) == [*range(14, 20)]


def test_channels_can_be_ordered_by_peak_and_number(wide: AppTest) -> None:
    # Before the ReLU, channel 29 is at 30 and channel 19 at -20.
    assert tiles(wide)[:3] == [29, 28, 27]
    assert tiles(wide)[-1] == 13

    wide.button_group(key="channel order").set_value("Peak").run()
    assert tiles(wide)[9:12] == [20, 19, 18]

    wide.button_group(key="channel order").set_value("Number").run()
    assert tiles(wide) == [*range(24)]


def test_a_click_on_a_channel_enlarges_it(wide: AppTest) -> None:
    wide.button(key="channel 27").click().run()

    assert not wide.exception
    assert wide.number_input(key="channel").value == 27
    assert "Mean **28**" in texts(wide, "markdown")


def test_a_channel_that_is_zero_everywhere_is_called_so(wide: AppTest) -> None:
    wide.selectbox(key="layer").set_value("blocks.block1.relu").run()

    wide.number_input(key="channel").set_value(3).run()

    assert any("zero everywhere" in info.value for info in wide.info)


def test_another_layer_begins_with_its_strongest_channel(wide: AppTest) -> None:
    wide.number_input(key="channel").set_value(3).run()
    wide.session_state["page blocks.block1.conv 30"] = 2
    wide.run()

    wide.selectbox(key="layer").set_value("blocks.block1.pool").run()

    assert wide.number_input(key="channel").value == 29
    assert tiles(wide)[0] == 29


def test_a_layer_without_cells_is_drawn_as_bars(wide: AppTest) -> None:
    options = wide.selectbox(key="layer").options
    logits = next(option for option in options if option.endswith(": Linear, 6 values"))

    wide.selectbox(key="layer").select(logits).run()

    assert not wide.exception
    bars = json.loads(elements(wide, "plotly_chart")[0].proto.spec)["data"][0]
    assert bars["x"] == ["happiness", "surprise", "sadness", "anger", "disgust", "fear"]
    assert len(bars["text"]) == 6


def test_one_scale_for_all_channels_can_be_chosen(wide: AppTest) -> None:
    wide.toggle(key="shared").set_value(True).run()

    assert not wide.exception
    assert tiles(wide)[0] == 29


def test_files_are_offered(wide: AppTest) -> None:
    assert [button.label for button in elements(wide, "download_button")] == [
        "Channel (PNG)",
        "This page (PNG)",
        "All channels (CSV)",
    ]


def test_a_picture_without_a_face_gets_advice(opened: AppTest) -> None:
    stream = io.BytesIO()
    PIL.Image.new("RGB", (300, 300), "grey").save(stream, "PNG")

    opened.file_uploader(key="files").set_value(
        [("grey.png", stream.getvalue(), "image/png")]
    ).run()

    assert not opened.exception
    assert "No face was found" in opened.warning[0].value


def test_a_link_opens_a_layer(app: AppTest, made_checkpoint: Made) -> None:
    made_checkpoint(weight=8.0)
    app.run().switch_page(PAGE)
    app.query_params["source"], app.query_params["layer"] = "Sample photo", "blocks.block1.pool"

    app.run()

    assert not app.exception
    assert app.selectbox(key="layer").value == "blocks.block1.pool"
