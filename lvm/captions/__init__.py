"""Captions: sentences about discrete factors, as token ids."""
