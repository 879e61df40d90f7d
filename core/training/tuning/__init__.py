"""Searches over settings with Optuna: spaces, trials, and what they found."""
