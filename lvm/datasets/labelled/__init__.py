"""Labelled: data sets of images with labels, in the layouts of their files."""
