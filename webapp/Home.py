"""The app's entry: `streamlit run webapp/Home.py`, from the repository's root."""

import streamlit as st

from webapp import cache, errors, navigation

errors.set_up()
# An emoji is drawn by the browser itself; an icon by name would be fetched from a font server.
st.set_page_config(page_title="GiMEFiVE Studio", page_icon="🙂", layout="wide")
cache.warm_up()
cache.keep_promise()
page = navigation.current_page()
navigation.load_nothing_from_elsewhere()
page.run()
