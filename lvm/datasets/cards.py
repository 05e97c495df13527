"""Cards: photographs of SET cards, from the folder or the zip archive of tomwhite/set-game.

The folder of a crop names its factors (2-red-striped-ovals); its file name identifies the
photograph that it was cut from (20170311_132957_2_14.jpg: session, number, position). Light, blur
and camera differ between photographs and are image-only.
"""

import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from lvm.captions.language import Factor
from lvm.files.decoding import decode
from lvm.files.folders import open_files

FACTORS = (
    Factor("number", ("one", "two", "three")),
    Factor("color", ("red", "green", "purple")),
    Factor("shading", ("solid", "striped", "empty")),
    Factor("shape", ("diamond", "oval", "squiggle")),
)
PHRASINGS = (
    "a playing card [in {color}] [with {shading} shading] [of {shape} shape] [numbered {number}]",
    "this photo shows a card [whose number is {number}] [whose color is {color}] "
    "[whose shading is {shading}] [whose shape is {shape}]",
    "on the table lies the [{shading}] [{color}] [{shape}] card [of count {number}]",
    "card seen from above [number {number}] [shape {shape}] [color {color}] [shading {shading}]",
    "somebody dealt a card [bearing the {shape} form] [printed in {color}] "
    "[with {shading} filling] [showing {number} in total]",
)
FOLDER_WORDS = (("1", "2", "3"), *(factor.values for factor in FACTORS[1:]))  # singular
SUFFIXES = (".jpg", ".jpeg", ".png")
IMAGES_PER_SHOW = 256


class Photographs(NamedTuple):
    """Crops of cards.

    images:   uint8 [n, height, width, 3].
    factors:  int32 [n, 4], values from 0, in the order of FACTORS.
    sessions: str [n], identifies the photograph that each crop was cut from.
    """

    images: UInt8[np.ndarray, "n height width 3"]
    factors: Int[np.ndarray, "n factors"]
    sessions: Shaped[np.ndarray, " n"]


def read_cards(
    path: Path | str,
    *,
    height: int = 48,
    width: int = 32,
    skip: Callable[[str], object] | None = None,
    show: Callable[[float], object] = lambda fraction: None,
) -> Photographs:
    """Returns all crops in a folder or a zip archive, resized, sorted by name.

    Hidden files and files without the suffix of an image are ignored. If `skip` is given, it is
    called with a message for each image that does not decode, and the image is omitted. `show` is
    called with the fraction that has been read. Raises ValueError, with the file, for a missing,
    empty or damaged archive, an image that does not decode, a folder that is not named after a card
    and a file name without a session.
    """
    if min(height, width) < 1:
        raise ValueError(f"height and width are {height} and {width}: allowed is 1 or more")
    report = skip or _refuse
    with open_files(Path(path)) as (files, read):
        names = sorted(filter(_is_photograph, set(files)))
        labels = [_label(f"{path}: {name}", PurePosixPath(name)) for name in names]
        images = []
        for index, name in enumerate(names):
            if index % IMAGES_PER_SHOW == 0:
                show(index / len(names))
            images.append(decode(read(name), height, width))
            if images[-1] is None:
                report(f"{path}: {name} does not decode")
    show(1.0)
    kept = [index for index, image in enumerate(images) if image is not None]
    if not kept:
        allowed = ", ".join(SUFFIXES)
        raise ValueError(f"{path} holds no photograph: allowed are {allowed} in folders of cards")
    factors, sessions = zip(*(labels[index] for index in kept), strict=True)
    stacked = np.stack([images[index] for index in kept])
    return Photographs(stacked, np.array(factors, np.int32), np.array(sessions))


def split_sessions(
    photographs: Photographs, test_share: float, seed: int
) -> tuple[Photographs, Photographs]:
    """Returns the training and the test photographs; no session is in both.

    The test sessions are a fraction `test_share` of all, drawn with the seed. The split depends on
    the names of the sessions, not on their order. Raises ValueError for a fraction outside 0..1 and
    as `check_splits` does.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share is {test_share}: allowed is between 0 and 1")
    sessions = np.random.default_rng(seed).permutation(np.unique(photographs.sessions))
    drawn = sessions[: round(test_share * len(sessions))]
    test = np.isin(photographs.sessions, drawn)
    select = lambda rows: Photographs(*(leaf[rows] for leaf in photographs))
    splits = select(~test), select(test)
    check_splits(*splits)
    return splits


def check_splits(train: Photographs, test: Photographs) -> None:
    """Raises ValueError for a session in both splits and a split that lacks a value of a factor."""
    both = np.intersect1d(train.sessions, test.sessions)
    if both.size:
        raise ValueError(
            f"{both.size} sessions, of which {both[0]} is the first, are in the train split and in "
            "the test split: allowed is one of the two"
        )
    for split, photographs in {"train": train, "test": test}.items():
        for factor, values in zip(FACTORS, photographs.factors.T, strict=True):
            for value, word in enumerate(factor.values):
                if value not in values:
                    raise ValueError(
                        f"the {split} split has no photograph with {factor.name} {word!r}: allowed "
                        "is every value in both; take another test_share or seed"
                    )


def _refuse(message: str) -> None:
    raise ValueError(message)


def _is_photograph(name: str) -> bool:
    file = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in file.parts)
    return file.suffix.lower() in SUFFIXES and not hidden


def _label(where: str, file: PurePosixPath) -> tuple[list[int], str]:
    """Returns the values of the factors and the session of a file."""
    folder = file.parent.name
    card = folder.removesuffix("s").split("-")
    if len(card) != len(FACTORS):
        raise ValueError(
            f"{where} is in folder {folder!r}: allowed is a card, as in 2-red-striped-ovals"
        )
    for factor, value, allowed in zip(FACTORS, card, FOLDER_WORDS, strict=True):
        if value not in allowed:
            names = ", ".join(allowed)
            raise ValueError(f"{where}: {factor.name} is {value!r}: allowed is one of {names}")
    session = re.fullmatch(r"(.+)_\d+_\d+", file.stem)
    if not session:
        raise ValueError(
            f"{where}: file name is {file.name!r}: allowed is session_number_position, as in "
            f"20170311_132957_2_14{file.suffix}"
        )
    values = [allowed.index(value) for value, allowed in zip(card, FOLDER_WORDS, strict=True)]
    return values, session[1]
