"""What tests of the results page read off it."""

from typing import Any

from streamlit.testing.v1 import AppTest


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


def pictures(page: AppTest) -> list[Any]:
    """The pictures of the grid, and the maps over them."""
    return list(page.get("image"))
