"""Encoding: representations of the images of a folder and of the words for their concepts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.zero_shot.candidates import Embeddings
from experiments.zero_shot.clip_models import ClipModel, Prepared
from experiments.zero_shot.image_folder import ImageFile
from lvm.files.decoding import decode

BATCH = 64  # images or texts that are encoded together
SLOT = "{}"  # of a prompt, for the concept
BARE = (SLOT,)  # the concept alone, as in the paper


class EncodedImages(NamedTuple):
    """Representations of the images that can be read, and the paths of all others."""

    images: Embeddings
    unreadable: tuple[Path, ...]


def encode_folder(
    model: ClipModel, files: Sequence[ImageFile], show: Callable[[float], object]
) -> EncodedImages:
    """Returns the representations of images, in the order of the files.

    An image that cannot be read is left out of representations, concepts and groups alike. `show`
    is called with the fraction that is done. Raises ValueError if no image can be read.
    """
    parts, readable, unreadable = [], [], []
    for begin in range(0, len(files), BATCH):
        batch = files[begin : begin + BATCH]
        prepared = {file: _prepared(model, file.path) for file in batch}
        found = {file: image for file, image in prepared.items() if image is not None}
        readable += found
        unreadable += [file.path for file in batch if file not in found]
        if found:
            parts.append(model.encode_images(list(found.values())))
        show((begin + len(batch)) / len(files))
    if not parts:
        raise ValueError(
            f"{files[0].path} and all other images cannot be read: allowed are JPEG and PNG"
        )
    _, concepts, groups = zip(*readable, strict=True)
    return EncodedImages(Embeddings(np.concatenate(parts), concepts, groups), tuple(unreadable))


def encode_concepts(
    model: ClipModel,
    names: Sequence[tuple[str, str]],
    prompts: Sequence[str],
    show: Callable[[float], object],
) -> Embeddings:
    """Returns representations of concepts (group, concept) in every prompt, one row for each.

    The concept replaces {} in a prompt, with spaces for underscores. `show` is called with the
    fraction that is done.
    """
    rows = [(name, prompt) for name in names for prompt in prompts]
    texts = [prompt.replace(SLOT, concept.replace("_", " ")) for (_, concept), prompt in rows]
    parts = []
    for begin in range(0, len(texts), BATCH):
        parts.append(model.encode_texts(texts[begin : begin + BATCH]))
        show(min(1.0, (begin + BATCH) / len(texts)))
    groups, concepts = zip(*(name for name, _ in rows), strict=True)
    return Embeddings(np.concatenate(parts), concepts, groups)


def check_prompts(prompts: Sequence[str]) -> None:
    """Raises ValueError for a prompt without a place for the concept."""
    for prompt in prompts:
        if SLOT not in prompt:
            raise ValueError(
                f"prompts hold {prompt!r}: allowed are texts with {SLOT} for the concept, as in "
                "'a photo of a {}'"
            )


def _prepared(model: ClipModel, path: Path) -> Prepared | None:
    """The input of the model for an image; None if it cannot be read."""
    try:
        image = decode(path.read_bytes())
    except OSError:
        return None
    return None if image is None else model.prepare(image)
