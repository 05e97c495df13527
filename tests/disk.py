"""A simulated full disk, and the names of all files in a folder."""

import contextlib
import resource


@contextlib.contextmanager
def files_of_at_most(count):
    """Limits the files that this process writes to `count` bytes each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def all_names(folder):
    """Returns the sorted relative paths of all files and folders below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
