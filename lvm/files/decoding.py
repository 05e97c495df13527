"""Decoding: images from JPEG or PNG files."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

DAMAGED = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def decode(
    data: bytes, height: int | None = None, width: int | None = None
) -> UInt8[np.ndarray, "height width 3"] | None:
    """Returns an image, uint8 [height, width, 3], or None if it is damaged.

    It is resized if height and width are both given.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            if height is None or width is None:
                return np.asarray(image.convert("RGB"))
            size = width, height
            image.draft("RGB", size)  # faster: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
            return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))
    except DAMAGED:
        return None
