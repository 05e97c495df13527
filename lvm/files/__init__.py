"""Disk: how sets of images and captions are read from files and written to them."""
