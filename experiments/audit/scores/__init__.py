"""Scores: mention rates of an audit beside the scores of a model at the same concepts."""
