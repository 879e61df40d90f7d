"""Front door of core.data."""
