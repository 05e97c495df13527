"""Causal3DIdent: reading and writing its folder layout."""
