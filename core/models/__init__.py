"""Front door of core.models."""
