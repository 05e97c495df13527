"""Image folder: images in folders GROUP/CONCEPT, listed and checked before any is decoded.

The folder of an image is its concept, and the folder above that its group: GROUP/CONCEPT/IMAGE, or
CONCEPT/IMAGE for one group with the name of the whole folder. Folders above the groups, as in
CATEGORY/GROUP/CONCEPT/IMAGE, have no meaning.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from experiments.zero_shot.candidates import check_concepts

SUFFIXES = (".jpg", ".jpeg", ".png")
LAYOUT = "allowed is GROUP/CONCEPT/IMAGE, or CONCEPT/IMAGE for one group"


class ImageFile(NamedTuple):
    """The path of an image, its concept and its group."""

    path: Path
    concept: str
    group: str


class ImageFolder(NamedTuple):
    """The images of a folder, sorted by path, and the files that are not .jpg, .jpeg or .png."""

    images: tuple[ImageFile, ...]
    others: tuple[Path, ...]


def list_images(folder: Path) -> ImageFolder:
    """Returns the images of a folder; hidden files and folders are ignored.

    Raises ValueError, with the path, if the folder does not exist or has no image, for an image
    without a concept folder, images at different depths, a concept with fewer than two images, and
    two folders of groups with the same name.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: {LAYOUT} in a folder")
    files = [file for directory in _folders(folder) for file in _files(directory)]
    paths = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not paths:
        raise ValueError(f"{folder} holds no image (.jpg, .jpeg, .png): {LAYOUT}")
    _check_depths(folder, paths)
    _check_leaves(folder, {path.parent for path in paths})
    root = folder.resolve().name
    of_path = lambda path: path.parent.parent.name if path.parent.parent != folder else root
    images = tuple(ImageFile(path, path.parent.name, of_path(path)) for path in paths)
    _check_groups(images)
    names = [(image.group, image.concept) for image in images]
    check_concepts(list(dict.fromkeys(names)), names)
    return ImageFolder(images, tuple(file for file in files if file not in set(paths)))


def _folders(folder: Path) -> Iterator[Path]:
    """Yields a folder and the visible folders in it, also those behind links, sorted."""
    for directory, names, _ in os.walk(folder, followlinks=True):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield Path(directory)


def _files(directory: Path) -> list[Path]:
    return sorted(
        path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")
    )


def _check_depths(folder: Path, paths: Iterable[Path]) -> None:
    """Raises ValueError unless all images are in concept folders of the same depth."""
    by_depth = {len(path.relative_to(folder).parts): path for path in paths}
    shallow, deep = by_depth[min(by_depth)], by_depth[max(by_depth)]
    if min(by_depth) == 1 or shallow.parent in deep.parent.parents:
        raise ValueError(f"{shallow} has no concept folder: {LAYOUT}")
    if len(by_depth) > 1:
        raise ValueError(f"{shallow} and {deep} are at different depths: {LAYOUT}")


def _check_leaves(folder: Path, concepts: set[Path]) -> None:
    """Raises ValueError for a folder that contains no image, neither itself nor below."""
    with_images = concepts.union(*(concept.parents for concept in concepts))
    for directory in _folders(folder):
        if directory not in with_images:
            raise ValueError(
                f"{directory} holds no image (.jpg, .jpeg, .png): allowed is 2 or more of each "
                "concept; add images, or remove the folder"
            )


def _check_groups(images: Iterable[ImageFile]) -> None:
    folders: dict[str, Path] = {}
    for image in images:
        group_folder = image.path.parent.parent
        if folders.setdefault(image.group, group_folder) != group_folder:
            raise ValueError(
                f"group {image.group!r} is {folders[image.group]} and {group_folder}: allowed is "
                "one folder"
            )
