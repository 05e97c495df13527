"""Folders: files in a folder or a zip archive, and the paths of their converted copies."""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# Errors of zipfile for an archive that is truncated, overwritten or encrypted.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@contextlib.contextmanager
def open_files(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """Yields the names of all files in a folder or a zip archive, and a function that reads one.

    Raises ValueError, with the file, if `path` does not exist or the archive is damaged.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist: allowed is a folder or a zip archive")
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
        yield names, lambda name: (path / name).read_bytes()
        return
    with refusing(f"{path} is not a zip archive or is damaged"):
        archive = zipfile.ZipFile(path)

    def read(name):
        with refusing(f"{path}: the archive is damaged at {name}"):
            return archive.read(name)

    with archive:
        yield [name for name in archive.namelist() if not name.endswith("/")], read


def converted_path(home: Path, cache: Path | str | None, name: str) -> Path:
    """Returns the path of the npy file `name` that is converted from the data in folder `home`.

    It lies in that folder, or in `cache` under a name that contains a hash of the folder, so that
    several folders can share a cache.
    """
    if cache is None:
        return home / f"{name}.npy"
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return Path(cache) / f"{name}_{digest}.npy"


def is_current(converted: Path, sources: Iterable[Path]) -> bool:
    """Returns whether a converted copy exists and no existing source is newer."""
    if not converted.exists():
        return False
    converted_time = converted.stat().st_mtime
    return all(source.stat().st_mtime <= converted_time for source in sources if source.exists())


@contextlib.contextmanager
def refusing(message: str) -> Iterator[None]:
    """Turns errors from reading damaged files into ValueErrors that begin with `message`."""
    try:
        yield
    except DAMAGED as error:
        raise ValueError(f"{message}: {error}") from error
