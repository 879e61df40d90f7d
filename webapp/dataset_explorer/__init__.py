"""The parts of the dataset explorer: one view a file."""
