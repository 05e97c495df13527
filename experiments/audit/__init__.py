"""Audit: what real captions tell of kinds of concepts, how often, and how truly."""
