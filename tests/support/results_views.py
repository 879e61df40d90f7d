"""What tests of the results page read off it."""

import re
from typing import Any

from streamlit.testing.v1 import AppTest

CELL = r"<t[hd][ >].*?</t[hd]>"


def results(app: AppTest) -> AppTest:
    app.run()
    return app.switch_page("../pages/results.py").run()


def view(page: AppTest, name: str) -> AppTest:
    page.segmented_control(key="view").set_value(name).run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return "\n".join(part.value for part in parts)


def tables(page: AppTest) -> list[Any]:
    return [element.value for element in page.dataframe]


def sets(page: AppTest) -> list[list[str]]:
    """The cells of the table of image sets, its head first."""
    body = next(html.proto.body for html in page.get("html") if "<table>" in html.proto.body)
    return [
        [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.findall(CELL, row)]
        for row in body.split("<tr")[1:]
    ]


def pictures(page: AppTest) -> list[Any]:
    """The pictures of the grid, and the maps over them."""
    return list(page.get("image"))
