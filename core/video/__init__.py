"""Front door of core.video."""
