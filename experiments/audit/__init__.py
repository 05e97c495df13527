"""Audit: how often captions mention concepts, and how often they contradict labels."""
