"""Stamps: pictures with captions in many languages, in the layout of Tux Paint's stamps.

animals/birds/hen.png     a picture, with an alpha channel; the first folder is its category
animals/birds/hen.txt     its captions: the first line in English, then one line per language
                          (de.utf8=Eine braune Henne.)

Other files (.svg, .dat, .ogg, .wav) are ignored. Debian's package tuxpaint-stamps-default has 796
such pictures, under GPL-2, in /usr/share/tuxpaint/stamps.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from lvm.files.decoding import decode_with_alpha
from lvm.files.texts import LINE_END, read_text

ENGLISH = "en"
LINE = re.compile(r"([A-Za-z]+(?:[_@][A-Za-z]+)*)\.utf8=(.*)")


class Stamps(NamedTuple):
    """Pictures and their captions, in the order of their names.

    names:    paths of the pictures in the folder, without suffix.
    pictures: with an alpha channel, resized to squares.
    captions: by language (as the files name it: pt_BR), one per picture, "" where there is none.
    skipped:  pictures that are left out, and lines that are not read, one sentence each.
    """

    names: tuple[str, ...]
    pictures: UInt8[np.ndarray, "n side side 4"]
    captions: dict[str, tuple[str, ...]]
    skipped: tuple[str, ...]

    @property
    def categories(self) -> tuple[str, ...]:
        """The first folder of each picture."""
        return tuple(name.split("/")[0] for name in self.names)

    @property
    def subcategories(self) -> tuple[str, ...]:
        """The first two folders of each picture, or the only one."""
        return tuple("/".join(name.split("/")[:-1][:2]) for name in self.names)


def read_stamps(
    folder: Path | str, side: int, show: Callable[[float], object] = lambda fraction: None
) -> Stamps:
    """Returns the stamps of a folder that have a picture and an English caption.

    Pictures are resized to `side` x `side` pixels. A picture that does not decode and one without a
    file of captions or an English caption are left out. A line that is no caption, and a second one
    in a language, are not read. All of them are listed in `skipped`.

    `show` is called with the fraction of the pictures that has been read. Raises ValueError if
    `folder` is no folder or has no such stamp.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: allowed is a folder of stamps")
    paths = sorted(folder.rglob("*.png"), key=lambda path: path.relative_to(folder).parts)
    names, pictures, captions, skipped = [], [], [], []
    for number, path in enumerate(paths):
        show(number / len(paths))
        try:
            picture, texts, problems = _read_stamp(path, side)
        except ValueError as error:
            skipped.append(str(error))
            continue
        names.append(path.relative_to(folder).with_suffix("").as_posix())
        pictures.append(picture)
        captions.append(texts)
        skipped += problems
    if not names:
        raise ValueError(
            f"{folder} has no stamp: allowed is a folder with pictures (hen.png) and captions "
            f"(hen.txt); {skipped[0] if skipped else 'it has no .png file'}"
        )
    others = sorted(set().union(*captions) - {ENGLISH})
    by_language = {
        language: tuple(texts.get(language, "") for texts in captions)
        for language in (ENGLISH, *others)
    }
    return Stamps(tuple(names), np.stack(pictures), by_language, tuple(skipped))


def _read_stamp(path: Path, side: int):
    """Returns the picture at `path`, its captions by language, and a sentence per line not read."""
    file = path.with_suffix(".txt")
    if not file.is_file():
        raise ValueError(f"{path} has no file of captions beside it ({file.name})")
    texts, problems = _read_captions(file)
    picture = decode_with_alpha(path.read_bytes(), side, side)
    if picture is None:
        raise ValueError(f"{path} does not decode")
    return picture, texts, problems


def _read_captions(file: Path) -> tuple[dict[str, str], list[str]]:
    first, *lines = (line.strip() for line in LINE_END.split(read_text(file)))
    if not first:
        raise ValueError(f"{file} has no English caption: its first line is empty")
    texts, problems = {ENGLISH: first}, []
    for number, line in enumerate(lines, 2):
        match = LINE.fullmatch(line)
        if line and not match:
            problems.append(
                f"{file}, line {number} is {line[:40]!r}: allowed is LANGUAGE.utf8=TEXT"
            )
        elif match and match[1] in texts:
            problems.append(f"{file}, line {number} is a second caption in {match[1]}")
        elif match and match[2].strip():
            texts[match[1]] = match[2].strip()
    return texts, problems
