"""A disk that fills, and what is left on it."""

import contextlib
import resource


@contextlib.contextmanager
def files_of_at_most(count):
    """Within, the system lets no file grow beyond `count` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def all_names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
