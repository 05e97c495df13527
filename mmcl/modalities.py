"""Modalities: a pair of values, one for images and one for texts."""

from typing import Any, NamedTuple


class Modalities(NamedTuple):
    """A value for images and one for texts, such as encoders, parameters or representations.

    x: of images.
    t: of texts.
    """

    x: Any
    t: Any
