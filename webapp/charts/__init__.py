"""Data in, plotly figures out: one file a page's charts, none of them knows Streamlit."""
