"""What tests of the pages with pictures do: choose the sample, look for elements."""

from typing import Any

from streamlit.testing.v1 import AppTest


def elements(app: AppTest, kind: str) -> list[Any]:
    """All elements of a kind, whatever their class."""
    return list(app.get(kind))


def with_sample(app: AppTest) -> AppTest:
    return app.button_group(key="source").set_value("Sample photo").run()


def texts(app: AppTest, kind: str) -> str:
    """What all elements of a kind say, one a line."""
    return "\n".join(str(element.value) for element in elements(app, kind))
