"""Experiments: sweeps of training runs, from a config to a report."""

from importlib.metadata import version

__version__ = version("misalign")
