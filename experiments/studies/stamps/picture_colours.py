"""Picture colours: the basic colour of most opaque pixels, by a rule on hue and brightness."""

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.colors import rgb_to_hsv

OPAQUE = 128  # least alpha of a pixel that is counted
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "grey",
)  # fmt: skip
HUES = ((15, "red"), (45, "orange"), (70, "yellow"), (165, "green"), (260, "blue"), (290, "purple"),
        (345, "pink"), (361, "red"))  # each up to that angle  # fmt: skip


def pixel_colours(pixels: UInt8[np.ndarray, "*n 3"]) -> Int[np.ndarray, "*n"]:
    """Returns the index in COLOURS of each RGB pixel.

    By hue, saturation and value (largest channel), in this order: value below 0.2 is black;
    saturation below 0.15 is white from value 0.85 on, grey below it; hues of red and orange with a
    value below 0.65 are brown, unless a red has saturation 0.7 or more; reds with a saturation
    below 0.5 are pink; else the colour is that of the hue in HUES. The limits are ours, not fitted
    to captions.
    """
    hue, saturation, value = np.moveaxis(rgb_to_hsv(pixels / 255.0), -1, 0)
    bounds, names = zip(*HUES, strict=True)
    by_hue = np.array([COLOURS.index(name) for name in names])[
        np.searchsorted(bounds, 360 * hue, side="right")
    ]
    red, orange = (by_hue == COLOURS.index(name) for name in ("red", "orange"))
    rules = {
        "black": value < 0.2,
        "white": (saturation < 0.15) & (value >= 0.85),
        "grey": saturation < 0.15,
        "brown": (value < 0.65) & (orange | (red & (saturation < 0.7))),
        "pink": red & (saturation < 0.5),
    }
    return np.select(list(rules.values()), [COLOURS.index(name) for name in rules], by_hue)


def colour_fractions(
    pictures: UInt8[np.ndarray, "n side side 4"],
) -> Float[np.ndarray, "n colours"]:
    """Returns the fraction of the opaque pixels of each picture that have each of COLOURS.

    All are 0 for a picture without an opaque pixel.
    """
    colours = pixel_colours(pictures[..., :3])
    opaque = pictures[..., 3] >= OPAQUE
    counts = [((colours == index) & opaque).sum((1, 2)) for index in range(len(COLOURS))]
    return np.stack(counts, axis=1) / np.maximum(opaque.sum((1, 2)), 1)[:, None]


def dominant_colours(pictures: UInt8[np.ndarray, "n side side 4"]) -> list[str]:
    """Returns the most frequent colour of each picture, "" for one without an opaque pixel."""
    fractions = colour_fractions(pictures)
    return [COLOURS[row.argmax()] if row.any() else "" for row in fractions]
