"""Accelerator: everything that is measured on a GPU or TPU, as one command with a time limit."""
