"""Rendering: ray-marched images of scenes; objects are tables of numbers."""
