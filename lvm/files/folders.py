"""Files: those in a folder or in a zip archive, read the same way, and their converted copies."""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

# What zipfile raises for an archive that is cut off, overwritten or encrypted.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@contextlib.contextmanager
def open_files(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """The names of all files in a folder or a zip archive, and what reads one of them.

    Raises ValueError, with the file, where nothing is and for an archive that is damaged.
    """
    if not path.exists():
        raise ValueError(f"{path}: there is no such folder or zip archive")
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
        yield names, lambda name: (path / name).read_bytes()
        return
    with refusing(f"{path} is no zip archive or a damaged one"):
        archive = zipfile.ZipFile(path)

    def read(name):
        with refusing(f"{path}: the archive is damaged at {name}"):
            return archive.read(name)

    with archive:
        yield [name for name in archive.namelist() if not name.endswith("/")], read


def converted_path(home: Path, cache: Path | str | None, name: str) -> Path:
    """Where the npy file `name` that is made of the data in folder `home` lies.

    In that folder, or in a cache under a name that no other folder's data have there.
    """
    if cache is None:
        return home / f"{name}.npy"
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return Path(cache) / f"{name}_{digest}.npy"


def is_current(converted: Path, sources: Iterable[Path]) -> bool:
    """Whether a converted copy is there, and not older than one of its sources that are left."""
    if not converted.exists():
        return False
    made = converted.stat().st_mtime
    return all(source.stat().st_mtime <= made for source in sources if source.exists())


@contextlib.contextmanager
def refusing(told: str) -> Iterator[None]:
    """Raises ValueError that begins with `told` for what reading damaged files raises."""
    try:
        yield
    except DAMAGED as error:
        raise ValueError(f"{told}: {error}") from error
