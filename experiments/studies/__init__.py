"""Studies: one module for each study that draws its own figure."""
