"""Watch: a live page of a run directory, in the terminal or in a browser; reads files alone."""
