"""Labelled: the domain of a user's own images, with captions generated or read from a file."""

import math

from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import CaptionedDomain, captioned_domain
from experiments.domains.captioned_scores import FACTOR_PROBES
from experiments.domains.own_images.free_captions import free_captions_domain
from experiments.domains.own_images.labelled_reading import (
    LAYOUTS,
    MULTIMODAL,
    has_free_captions,
    read_splits,
    read_vocabulary,
)
from experiments.runtime.checks import require_fraction, require_least, select_known
from mmcl.encoders.vision import patch_sides
from mmcl.recipe import is_integer

LEAST = {
    "height": 4,
    "width": 4,
    "channels": 1,
    "images": 4,
    "seed": 0,
    "vocabulary": 1,
    "length": 1,
}
TEXTS = ("columns", "phrasings", "numbers")  # fields that are tuples of texts


def make_labelled(config: ConfigDict) -> CaptionedDomain:
    """Returns the domain of the images and labels at `world.data`.

    Captions are generated from `world.factors` and `world.phrasings`, or, if the data set has
    captions or `world.caption_file` is given, read. Raises ValueError for a field that is out of
    range or missing.
    """
    _check_fields(config)
    _check_patches(config)
    world = config.world
    factors = _make_factors(world.factors, words=not has_free_captions(world))
    factor_probes = select_known("evaluation.probes", config.evaluation.probes, FACTOR_PROBES)
    shape = (world.height, world.width, world.channels)
    values = tuple(world.numbers)

    def read(report_fraction):
        return read_splits(world, factors, values, report_fraction)

    if has_free_captions(world):
        names = [factor.name for factor in factors]
        _check_free_settings(config, [*names, *values])
        return free_captions_domain(
            factors,
            factor_probes,
            read,
            read_vocabulary=lambda: read_vocabulary(world),
            image_shape=shape,
            words=world.vocabulary,
            length=world.length,
            values=values,
        )
    if values:
        raise ValueError(
            f"world.numbers is {values}: allowed is () if captions are generated, since they do "
            "not mention these columns"
        )
    return captioned_domain(
        _make_language(factors, world.phrasings),
        factor_probes,
        read,
        may_equal_truth=world.may_equal_truth,
        image_shape=shape,
    )


def _check_fields(config: ConfigDict) -> None:
    require_least(config, {f"world.{field}": value for field, value in LEAST.items()})
    require_fraction(config, ["world.test_share"])
    world = config.world
    if world.layout not in LAYOUTS:
        raise ValueError(
            f"world.layout is {world.layout!r}: allowed is one of {', '.join(LAYOUTS)}"
        )
    if world.data is None:
        raise ValueError(
            "world.data is missing: give the file or folder of the images, as in "
            "--config.world.data=shapes.npz; docs/guide/own_images.md describes the layouts"
        )
    if world.layout == MULTIMODAL and world.caption_file is not None:
        raise ValueError(
            f"world.caption_file is {world.caption_file!r}: allowed is None with world.layout "
            f"{MULTIMODAL!r}, which has captions"
        )
    if world.channels not in (1, 3):
        raise ValueError(f"world.channels is {world.channels}: allowed is 1 or 3")
    for field in TEXTS:
        value = world[field]
        if not isinstance(value, tuple | list) or not all(isinstance(text, str) for text in value):
            raise ValueError(f"world.{field} is {value!r}: allowed is a tuple of texts")


def _check_patches(config: ConfigDict) -> None:
    """Raises ValueError unless the encoder "patches" can divide the images into patches."""
    recipe, size = config.recipe, (config.world.height, config.world.width)
    side = math.prod(patch_sides(len(recipe.widths)))
    if recipe.get("image_encoder") == "patches" and any(length % side for length in size):
        raise ValueError(
            f"world.height and world.width are {size}: allowed are multiples of {side} with the "
            f"encoder 'patches' and {len(recipe.widths)} recipe.widths"
        )


def _make_factors(entries, words: bool) -> tuple[lvm.Factor, ...]:
    """The factors of (name, values); values are words, or unless `words` their number."""
    if not isinstance(entries, tuple | list) or not entries:
        raise ValueError(
            f"world.factors is {entries!r}: allowed are one or more (name, words of its values)"
        )
    return tuple(_make_factor(index, entry, words) for index, entry in enumerate(entries))


def _make_factor(index: int, entry, words: bool) -> lvm.Factor:
    where = f"world.factors[{index}]"
    match entry:
        case (str() as name, [*values]) if all(isinstance(value, str) for value in values):
            pass
        case (str() as name, count) if not words and is_integer(count):
            values = map(str, range(count))
        case _:
            allowed = "" if words else ", or (name, number of its values)"
            raise ValueError(
                f"{where} is {entry!r}: allowed is (name, words of its values){allowed}"
            )
    try:
        return lvm.Factor(name, tuple(values))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _make_language(factors: tuple[lvm.Factor, ...], phrasings) -> lvm.Language:
    try:
        return lvm.make_language(factors, tuple(phrasings))
    except ValueError as error:
        raise ValueError(f"world.factors and world.phrasings: {error}") from None


def _check_free_settings(config: ConfigDict, names: list[str]) -> None:
    """Raises ValueError unless settings have no bias, which would rewrite captions of a file."""
    for index, setting in enumerate(config.settings):
        selected, perturbable = setting.get("selected"), setting.get("perturbable")
        if sorted(str(selected).split()) != sorted(names) or perturbable:
            raise ValueError(
                f"settings[{index}] selects {selected!r} and perturbs {perturbable!r}: allowed is "
                f"{' '.join(names)!r} and '', since captions of a file are not rewritten"
            )
