"""A table for the browser without pandas, whose import would hold up a page's first visitor."""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st
from pyarrow.json import ParseOptions, read_json


def light_table(rows: Sequence[Mapping[str, Any]], **options: Any) -> None:  # noqa: ANN401
    """Draw rows as `st.dataframe` draws a pandas table, without row numbers and at full height.

    Args:
        rows: At least one; plain values by column, the same columns in each, None for an empty
            cell.
        options: Further arguments of `st.dataframe`.
    """
    # Without `lazy=False` Streamlit imports pandas to find out that this is no pandas table.
    st.dataframe(
        arrow_table(rows), hide_index=True, height="content", lazy=False, placeholder="-", **options
    )


def arrow_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """The rows as an Arrow table; a column of texts stays one even where they look like dates."""
    texts = [name for name in rows[0] if any(isinstance(row[name], str) for row in rows)]
    schema = pa.schema([(name, pa.string()) for name in texts])
    lines = "\n".join(json.dumps(dict(row)) for row in rows)
    # Arrow's JSON reader needs no pandas, unlike `Table.from_pylist`. It puts the columns of the
    # schema first, hence the choice of columns in the end.
    options = ParseOptions(explicit_schema=schema)
    table = read_json(io.BytesIO(lines.encode()), parse_options=options)
    return table.select(list(rows[0]))
