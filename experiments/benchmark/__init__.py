"""Benchmark: the cost of every part, compared with the device's ceilings and with PyTorch."""
