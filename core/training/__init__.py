"""Front door of core.training."""
