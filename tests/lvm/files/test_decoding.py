import io

import numpy as np
import pytest
from PIL import Image

from lvm.files.decoding import decode

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 4, 3)).astype(np.uint8)


def encoded(pixels=PIXELS, file_format="PNG"):
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, file_format)
    return written.getvalue()


def test_a_png_round_trips():
    np.testing.assert_array_equal(decode(encoded()), PIXELS)


def test_other_modes_become_three_channels():
    with_alpha = np.concatenate([PIXELS, np.full((6, 4, 1), 9, np.uint8)], axis=2)
    np.testing.assert_array_equal(decode(encoded(with_alpha)), PIXELS)
    gray = PIXELS[..., 0]
    np.testing.assert_array_equal(decode(encoded(gray)), np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_images_are_resized(file_format):
    even = np.broadcast_to(np.array([200, 30, 20], np.uint8), (40, 20, 3))
    resized = decode(encoded(even.copy(), file_format), height=9, width=5)
    np.testing.assert_allclose(resized, np.broadcast_to(even[:1, :1], (9, 5, 3)), atol=3)


def test_damaged_images_and_other_formats_decode_to_none():
    intact = encoded()
    for data in (b"", b"no image", intact[:20], intact[:-30], encoded(file_format="GIF")):
        assert decode(data) is None
