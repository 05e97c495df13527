"""Images: photographs in JPEG or PNG, decoded."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

DAMAGED = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def decode(
    data: bytes, height: int | None = None, width: int | None = None
) -> UInt8[np.ndarray, "height width 3"] | None:
    """An image as uint8 [height, width, 3], resized if both are given; None if it is damaged."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            if height is None or width is None:
                return np.asarray(image.convert("RGB"))
            size = width, height
            image.draft("RGB", size)  # decodes a JPEG at a half, a fourth or an eighth: faster
            return np.asarray(image.convert("RGB").resize(size, Image.Resampling.BILINEAR))
    except DAMAGED:
        return None
