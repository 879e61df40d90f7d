"""Front door of core.faces."""
