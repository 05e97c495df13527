"""Run directory: its claim, its checkpoints, its history and its results."""
