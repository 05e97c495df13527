"""Latents: semantics, misalignment, mixing, and the pairs that they generate."""
