"""Reference: the authors' code, trained beside this project where a user has its folder."""
