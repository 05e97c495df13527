"""Data sets on disk: SET cards, MPI3D and Causal3DIdent."""
