"""Optimisers: one module for each, a registry of them by name, and the learning rate schedule."""
