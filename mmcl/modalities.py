"""Modalities: one value for images and one for texts."""

from typing import Any, NamedTuple


class Modalities(NamedTuple):
    """One thing for the images, one for the texts: encoders, parameters, representations."""

    x: Any
    t: Any
