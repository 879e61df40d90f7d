"""Where Grad-CAM's last ReLU leaves nothing, the page shows what speaks against."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

PAGE = "../pages/image_explanation.py"


def test_where_grad_cam_leaves_nothing_its_signed_map_is_shown(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint(weight=-1.0, share=0.9)  # what is bright speaks against surprise
    app.run().switch_page(PAGE).run()
    app.button_group(key="source").set_value("Sample photo").run()
    app.selectbox(key="method").set_value("grad_cam").run()

    app.selectbox(key="layer").set_value("blocks.block1.relu").run()

    assert not app.exception
    (told,) = [info.value for info in app.info]
    assert told.startswith("Grad-CAM keeps only what speaks for an expression and is blank for ")
    assert any("against (broken ring)" in html.value for html in list[Any](app.get("html")))

    app.selectbox(key="target").set_value("fear").run()  # blank with its sign, too

    assert [info.value.split(".")[0] for info in app.info] == [
        "The map is blank: no positive evidence for fear"
    ]
