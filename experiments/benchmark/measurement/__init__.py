"""Measurement: how time, memory and arithmetic of one case are measured."""
