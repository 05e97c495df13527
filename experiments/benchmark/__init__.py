"""Benchmark: what every part costs, beside what the device could do and beside a peer."""
