"""Studies as locked configs: one file a study, its defaults in `default.py`."""
