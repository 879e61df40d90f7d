"""A closer look at one face: its parts, contrasts, methods side by side, and whether they hold."""
