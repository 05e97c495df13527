"""Decoding: images from JPEG or PNG files.

Images of data sets are read by `decode`, which returns three channels of 8 bits, as follows. Gray,
palette and CMYK images become RGB. Of 16 bits, the high byte is kept, in gray as in colour. An
alpha channel is dropped: transparent pixels keep the colours that the file holds. An image is
rotated or mirrored as its EXIF orientation requires. Colour profiles are ignored, and of an
animation the first frame is read. `decode_with_alpha` keeps the alpha channel and ignores EXIF.
"""

import io
import struct

import numpy as np
from jaxtyping import UInt8
from PIL import Image

DAMAGED = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
ORIENTATION = 0x0112  # EXIF tag
UPRIGHT = {  # EXIF orientation -> the operation that makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)  # orientations that exchange height and width


def decode(
    data: bytes, height: int | None = None, width: int | None = None
) -> UInt8[np.ndarray, "height width 3"] | None:
    """Returns an image, uint8 [height, width, 3], or None if it is damaged.

    It is resized if height and width are both given.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.format == "PNG":  # its metadata may follow the pixels
                image.load()
            orientation = _orientation(image)
            if height is None or width is None:
                return np.asarray(_upright(_rgb(image), orientation))
            size = width, height
            # faster: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
            image.draft("RGB", size[::-1] if orientation in SIDEWAYS else size)
            upright = _upright(_rgb(image), orientation)
            return np.asarray(upright.resize(size, Image.Resampling.BILINEAR))
    except DAMAGED:
        return None


def decode_with_alpha(
    data: bytes, height: int, width: int
) -> UInt8[np.ndarray, "height width 4"] | None:
    """Returns a PNG image, uint8 [height, width, 4], or None if it is damaged.

    A pixel is the mean over its area, colours weighted by their alpha. An image without an alpha
    channel is opaque.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            image.load()
            opaque = _rgb(image) if image.mode.startswith("I") else image
            return np.asarray(opaque.convert("RGBA").resize((width, height), Image.Resampling.BOX))
    except DAMAGED:
        return None


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation of an image, 1 (upright) if the image has none."""
    try:
        return image.getexif().get(ORIENTATION, 1)
    except DAMAGED:  # metadata alone; the image may be intact
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of gray, which `convert` would clip to 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")
