"""Where a visitor is on the training page: kept in its address, so that a reload leads back."""

import streamlit as st

NEW, RUNS, COMPARE, SEARCH = VIEWS = ("New run", "Runs", "Compare", "Search")
VIEW, RUN, SEARCHED = "view", "run", "search"


def show_run(name: str) -> None:
    """Turn to a run; for callbacks."""
    st.session_state[VIEW] = RUNS
    st.session_state[RUN] = name


def show_search(name: str) -> None:
    """Turn to a search; for callbacks."""
    st.session_state[VIEW] = SEARCH
    st.session_state[SEARCHED] = name


def linked_pick(label: str, names: list[str], key: str) -> str:
    """A box to choose one of some names, which stands in the address.

    Args:
        label: Above the box.
        names: At least one; the first is chosen unless the address names another.
        key: Of the widget and of the parameter.
    """
    asked = st.session_state.get(key, st.query_params.get(key))
    if asked not in names:
        asked = names[0]
    if st.session_state.get(key) != asked:
        st.session_state[key] = asked
    name: str = st.selectbox(label, names, key=key)
    st.query_params[key] = name
    return name
