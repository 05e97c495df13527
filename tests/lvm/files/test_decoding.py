import io
import struct
import zlib

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


def png_of_16_bits(levels, color_type=0):
    """Returns a PNG with 16 bits per channel; Pillow writes colours with 8."""
    chunk = lambda name, data: (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    )
    height, width = levels.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    pixels = zlib.compress(rows)
    parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_of_16_bits_the_high_byte_is_kept():
    levels = np.array([[0, 0x00FF, 0x0100], [0x8000, 0xFF00, 0xFFFF]])
    expected = np.repeat((levels >> 8).astype(np.uint8)[..., None], 3, axis=2)
    assert expected[1, 0, 0] == 128
    np.testing.assert_array_equal(decode(png_of_16_bits(levels)), expected)
    colors = np.repeat(levels[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode(png_of_16_bits(colors, color_type=2)), expected)
    with_alpha = np.stack([levels, levels[::-1]], axis=2)
    np.testing.assert_array_equal(decode(png_of_16_bits(with_alpha, color_type=4)), expected)


def test_gray_of_16_bits_is_resized():
    even = np.full((8, 6), 0x4321)
    np.testing.assert_array_equal(decode(png_of_16_bits(even), 3, 2), np.full((3, 2, 3), 0x43))


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_transparent_pixels_keep_their_colours(alpha):
    with_alpha = np.concatenate([PIXELS, np.full((6, 4, 1), alpha, np.uint8)], axis=2)
    np.testing.assert_array_equal(decode(encoded(with_alpha)), PIXELS)


@pytest.mark.parametrize("transparent", [{}, {"transparency": 1}])
def test_palettes_become_colours(transparent):
    colors = np.array([[200, 30, 20], [0, 250, 7], [9, 9, 99]], np.uint8)
    index = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    image = Image.fromarray(index).convert("P")
    image.putpalette(colors.tobytes())
    written = io.BytesIO()
    image.save(written, "PNG", **transparent)
    np.testing.assert_array_equal(decode(written.getvalue()), colors[index])


def test_one_bit_becomes_black_and_white():
    bits = PIXELS[..., 0] > 128
    expected = np.repeat(255 * bits[..., None].astype(np.uint8), 3, axis=2)
    np.testing.assert_array_equal(decode(encoded(bits)), expected)


UPRIGHT = np.zeros((32, 48, 3), np.uint8)  # another colour in each quarter
UPRIGHT[:16, :24], UPRIGHT[:16, 24:], UPRIGHT[16:, :24] = 240, (240, 0, 0), (0, 0, 240)
STORED = {  # EXIF orientation -> how a camera stores an upright image
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: image[::-1, ::-1],
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: np.rot90,
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: np.rot90(image, -1),
}


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", STORED)
def test_images_are_upright(file_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    written = io.BytesIO()
    stored = np.ascontiguousarray(STORED[orientation](UPRIGHT))
    Image.fromarray(stored).save(written, file_format, exif=exif, quality=95, subsampling=0)
    image = decode(written.getvalue())
    np.testing.assert_allclose(image.astype(int), UPRIGHT, atol=12)
    resized = decode(written.getvalue(), 4, 6).astype(int)
    np.testing.assert_allclose(resized[::3, ::5], UPRIGHT[::31, ::47], atol=25)


def test_damaged_metadata_are_ignored():
    written = io.BytesIO()
    Image.fromarray(PIXELS).save(written, "PNG", exif=b"Exif\0\0 no metadata")
    np.testing.assert_array_equal(decode(written.getvalue()), PIXELS)
