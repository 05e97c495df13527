"""Scenes: latents of a rendered scene, and the renderer."""
