"""Stamps: an audit of pictures with captions in many languages."""
