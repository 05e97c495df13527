"""Configs: studies as locked configs, one file per study; `default.py` has the defaults."""
