"""Whether a map is true: measured against controls.  Use it through `core.explain`."""
