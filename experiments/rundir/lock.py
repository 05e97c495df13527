"""Lock: one process, or one group of processes, writes to a run directory at a time."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

HOLDER = r"process (\d+) on (\S+) since "  # how the text of a held lock begins


@contextmanager
def locked(directory: Path) -> Iterator[str | None]:
    """Holds the lock of a run directory; yields its last holder, if that was interrupted.

    The lock is released when its process ends, however it ends. Raises ValueError, with the holder,
    if another process holds it.
    """
    with (directory / "lock").open("a+") as file:
        file.seek(0)
        holder = file.read().strip()
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"workdir {directory} is being written by {holder or 'another process'}; wait for "
                "it, stop it, or choose another --workdir"
            ) from None
        except OSError as error:
            raise ValueError(
                f"workdir {directory} cannot be locked ({error.strerror}): choose a --workdir on "
                "another file system"
            ) from None
        _write(file, f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%c}")
        try:
            yield holder or None
        finally:
            _write(file, "")


def _write(file, text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()
