"""The app's entry: `streamlit run webapp/Home.py`, from the repository's root."""

from webapp import cache, errors, navigation

errors.set_up()
page = navigation.current_page()
cache.warm_up()
cache.keep_promise()
navigation.load_nothing_from_elsewhere()
page.run()
