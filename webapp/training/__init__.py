"""The parts of the training page: one view a file."""
