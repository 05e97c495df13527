"""Mention rates: rates in the captions of a run, predictions of the claim, zero-shot scores."""
