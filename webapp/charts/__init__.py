"""Data in, figures out, of plotly or HTML: one file a page's charts, none knows Streamlit."""
