"""Rendering: the picture of a scene, ray-marched; sculptures are tables of numbers."""
