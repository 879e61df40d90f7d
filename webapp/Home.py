"""The app's entry: `streamlit run webapp/Home.py`, from the repository's root."""

import logging

import streamlit as st

from webapp import cache, navigation

# Without a handler, errors caught at the edge of a page or a video frame would leave no trace.
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

# An emoji is drawn by the browser itself; an icon by name would be fetched from a font server.
st.set_page_config(page_title="GiMEFiVE Studio", page_icon="🙂", layout="wide")
cache.warm_up()
navigation.current_page().run()
