"""The app's entry: `streamlit run webapp/Home.py`, from the repository's root."""

from webapp import cache, errors, navigation

errors.set_up()
page = navigation.current_page()
cache.keep_tidy()
cache.warm_up()
navigation.load_nothing_from_elsewhere()
navigation.dress()
page.run()
