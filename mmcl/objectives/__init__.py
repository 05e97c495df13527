"""Objectives: one module for each family, and a registry of them by name."""
