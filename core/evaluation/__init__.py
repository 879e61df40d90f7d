"""Front door of core.evaluation."""
