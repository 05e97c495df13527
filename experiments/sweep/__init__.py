"""Sweep: from the settings of a config to lanes that are trained and scored together."""
