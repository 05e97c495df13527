"""Image arrays: images in npz files, dSprites and MPI3D among them.

dSprites (github.com/google-deepmind/dsprites-dataset): `imgs`, uint8 0 or 1 [737280, 64, 64], and
`latents_classes` of six factors, the first of which is constant.

MPI3D toy, realistic and real (github.com/rr-learning/disentanglement_dataset, arXiv 1906.03292):
`images`, uint8 [1036800, 64, 64, 3], without labels. All combinations of seven factors are in
order, the last one fastest.
"""

import math
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lvm.captions.language import Factor
from lvm.datasets.labelled.labelled_data import (
    LABELS,
    LabelledData,
    Show,
    Take,
    check_lengths,
    check_product,
    label_columns,
    product_columns,
    read_labels,
    take_converted,
)
from lvm.files.folders import converted_path
from lvm.files.npz import npz_keys, npz_shape, open_npz_array, read_npz_array

KEYS = ("images", "imgs")  # of images in an npz file
DSPRITES_COLUMNS = ("color", "shape", "scale", "orientation", "x_pos", "y_pos")
DSPRITES_FACTORS = (
    Factor("shape", ("square", "ellipse", "heart")),
    Factor("scale", ("tiny", "small", "medium", "large", "huge", "giant")),
)
DSPRITES_PHRASINGS = (
    "a picture [of one {shape}] [of {scale} size]",
    "[the {scale} drawing] on a black ground [has the form of the {shape}]",
    "here is [some {shape}] [which looks {scale}]",
)
MPI3D_SIZES = {
    "color": 6,
    "shape": 6,
    "size": 2,
    "camera": 3,
    "background": 3,
    "h_axis": 40,
    "v_axis": 40,
}
MPI3D_FACTORS = (
    Factor("color", ("white", "green", "red", "blue", "brown", "olive")),
    Factor("shape", ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")),
    Factor("size", ("small", "large")),
    Factor("camera", ("top", "center", "bottom")),
    Factor("background", ("purple", "sea-green", "salmon")),
)


def open_npz_images(
    file: Path | str,
    *,
    names: tuple[str, ...] = (),
    labels: Path | str | None = None,
    cache: Path | str | None = None,
) -> LabelledData:
    """Returns the images of an npz file, uint8 `images` or `imgs`, and their labels.

    names:  of the columns of `latents_classes`.
    labels: the file of labels, CSV or npz; None for the file of the images.

    Images are copied to an npy file beside the npz file or in `cache` when they are first taken,
    which raises as `open_npz_array` does. Raises ValueError, with file and key, for a file that
    cannot be read, another type or shape, and different numbers of images and labels.
    """
    file = Path(file)
    labels = Path(labels or file)
    columns = read_labels(labels, names)
    key = _image_key(file)
    shape = _image_shape(file, key)
    check_lengths(f"{file}: {key}", shape[0], str(labels), columns)
    return LabelledData(_with_channels(shape)[1:], _take(file, key, shape, cache), columns)


def open_dsprites(file: Path | str, *, cache: Path | str | None = None) -> LabelledData:
    """Returns the images of dSprites, 0 or 255, with one channel, and their classes.

    Raises ValueError as `open_npz_images` does, and for classes in another order than that of the
    data set.
    """
    file = Path(file)
    where = f"{file}: {LABELS}"
    columns = label_columns(where, read_npz_array(file, LABELS), DSPRITES_COLUMNS)
    shape = _image_shape(file, "imgs")
    check_lengths(f"{file}: imgs", shape[0], where, columns)
    check_product(where, columns)
    take_bits = _take(file, "imgs", shape, cache)

    def take(rows, show=lambda fraction: None):
        taken = take_bits(rows, show)
        if taken.max(initial=0) > 1:
            raise ValueError(f"{file}: imgs holds {taken.max()}: allowed is 0 or 1")
        return taken * np.uint8(255)

    return LabelledData(_with_channels(shape)[1:], take, columns)


def open_mpi3d_shapes(
    file: Path | str,
    *,
    sizes: dict[str, int] = MPI3D_SIZES,
    cache: Path | str | None = None,
) -> LabelledData:
    """Returns the images of MPI3D toy, realistic or real, and their factors by their order.

    sizes: number of values of each factor, for files with fewer positions. Raises ValueError as
    `open_npz_images` does.
    """
    file = Path(file)
    shape, count = npz_shape(file, "images"), math.prod(sizes.values())
    if math.prod(shape[:-3]) != count:
        raise ValueError(f"{file}: images has shape {shape}: allowed is ({count}, 64, 64, 3)")
    shape = (count, *shape[-3:])
    return LabelledData(shape[1:], _take(file, "images", shape, cache), product_columns(sizes))


def _image_key(file: Path) -> str:
    keys = npz_keys(file)
    for key in KEYS:
        if key in keys:
            return key
    raise ValueError(f"{file} holds {', '.join(keys) or 'nothing'}: allowed is {' or '.join(KEYS)}")


def _image_shape(file: Path, key: str) -> tuple[int, ...]:
    shape = npz_shape(file, key)
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise ValueError(
            f"{file}: {key} has shape {shape}: allowed is (images, height, width) or, with 1 or 3 "
            "channels, (images, height, width, channels)"
        )
    return shape


def _with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of images with an axis of channels, which gray ones may lack."""
    return shape if len(shape) == 4 else (*shape, 1)


def _take(file: Path, key: str, shape: tuple[int, ...], cache) -> Take:
    converted = converted_path(file.parent, cache, f"{file.stem}.{key}")

    def open_images(show: Show) -> UInt8[np.ndarray, "n height width channels"]:
        images = open_npz_array(file, key, converted=converted, shape=shape, show=show)
        return images.reshape(_with_channels(shape))

    return partial(take_converted, open_images)
