"""A bar for work that takes a while, and the button that ends it."""

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from webapp.waiting import Waiting

    waiting = Waiting("counting", "stop")
    if waiting.was_cancelled:
        waiting.offer("It was cancelled.")
        st.stop()
    for done in range(4):
        waiting.show(done / 4, f"{done} of 4")
    if st.toggle("finish", value=True, key="finish"):
        waiting.end()
    st.text("counted")


def test_quick_work_has_no_bar() -> None:
    app = AppTest.from_function(page).run()
    app.toggle(key="finish").set_value(False).run()

    assert not app.exception
    assert not app.button
    assert app.text[0].value == "counted"


def test_cancelled_work_is_not_begun_again_until_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webapp.waiting.PATIENCE", 0.0)
    monkeypatch.setattr("webapp.waiting.EVERY", 0.0)
    app = AppTest.from_function(page).run()
    assert not app.button  # the bar goes when the work is done

    app.toggle(key="finish").set_value(False).run()
    app.button(key="stop").click().run()
    assert not app.text
    assert [caption.value for caption in app.caption] == ["It was cancelled."]

    app.button(key="stop again").click().run()
    assert app.text[0].value == "counted"


def telling_page() -> None:
    import streamlit as st

    from webapp.waiting import tell_kept, tell_next

    @st.fragment
    def part() -> None:
        tell_kept()
        st.button("Cancel", key="cancel", on_click=tell_next, args=("It ends soon.",))

    part()


def test_what_a_callback_has_to_say_is_said_once_by_the_part_that_is_drawn() -> None:
    app = AppTest.from_function(telling_page).run()
    assert not app.toast

    app.button(key="cancel").click().run()
    assert [toast.value for toast in app.toast] == ["It ends soon."]

    assert not app.run().toast
