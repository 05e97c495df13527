"""Own images: the domain of labelled images of the user, with generated or given captions."""
