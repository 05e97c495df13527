"""Measurement: time, memory and arithmetic of one case."""
