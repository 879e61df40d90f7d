"""An answer below the calibrated confidence is not named as if it were sure."""

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest


def test_an_unclear_answer_is_called_unclear(
    app: AppTest, made_checkpoint: Callable[..., Path]
) -> None:
    made_checkpoint(threshold=0.6)
    page = app.run().switch_page("../pages/image_explanation.py").run()

    page.button_group(key="source").set_value("Sample photo").run()

    headings = [text.value for text in page.markdown if text.value.startswith("#### Face")]
    assert headings == ["#### Face 1: unclear (nearest: surprise, 50.0 %)"]
