"""Inputs: readers of captions, concepts and labels from files of any size."""
