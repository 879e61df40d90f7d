"""Data in, figures out, of plotly or HTML: one file a page's charts, none knows Streamlit."""

# Two sides of one thing, and what is beside them: no expression's colours, told apart also by the
# colour-blind, and 3 : 1 from light and dark pages.
VIOLET, OLIVE, GREY = "#7C4DD6", "#6A7F00", "#8A8A8A"
# Stand-ins, in whose place Streamlit puts the colours of the visitor's theme: text, and the scales
# of .streamlit/config.toml, on all of which that text can be read.
TEXT = "#000037"
SEQUENTIAL = tuple((step / 9, f"#0000{11 + step}") for step in range(10))
DIVERGING = tuple((step / 9, f"#0000{21 + step}") for step in range(10))
