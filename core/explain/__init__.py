"""Front door of core.explain."""
