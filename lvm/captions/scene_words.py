"""Scene words: the language of captions of rendered scenes, and the word of each latent value.

Latents that are continuous in images are discrete in captions: the position of the spotlight is one
of five directions, and a hue is the name of a colour. The five compass words follow the order of
the paper, each for one of five equal fifths of the circle of the spotlight; they do not match
directions in the picture.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lvm.captions.language import Factor, Language, make_language
from lvm.checks import check_shape
from lvm.latents.switch import check_name
from lvm.scenes.sampler import SHAPES, Scenes, check_scenes

COMPASS = ("northwest", "northeast", "center", "southwest", "southeast")
PLACES = {"x_pos": ("left", "center", "right"), "y_pos": ("top", "mid", "bottom"), "s_pos": COMPASS}
HUES = ("color", "s_color", "b_color")
KINDS = {
    **dict.fromkeys(("shape", "x_pos", "y_pos", "color"), "object"),
    **dict.fromkeys(("s_pos", "s_color"), "spotlight"),
    "b_color": "background",
}
PHRASINGS = (
    "a picture [of one {shape}] [painted {color}] [on the {x_pos} of the stage] "
    "[in its {y_pos} row] [lit from the {s_pos}] [by {s_color} lamps] [over {b_color} ground]",
    "[the lamp shines {s_color}] [out of the {s_pos}] [onto some {shape}] [whose color is {color}] "
    "[placed {x_pos}] [and {y_pos}] [before the {b_color} background]",
    "[{b_color} is the floor] [and {color} the figure] [which shows one {shape}] "
    "[its column is {x_pos}] [its line is {y_pos}] [its light comes from {s_pos}] "
    "[and looks {s_color}]",
    "this scene has [the {shape}] [at {x_pos}] [and {y_pos} position] [with {color} skin] "
    "[under {s_color} light] [that falls in from {s_pos}] [onto the {b_color} plane]",
    "someone put [one {color} thing] [shaped like some {shape}] [toward the {x_pos}] "
    "[at {y_pos} height] [upon {b_color} soil] [and hung the spotlight {s_pos}] "
    "[glowing {s_color}]",
)
BINS = 3600  # of the circle of hues, a tenth of a degree each
SCENE_VARIANTS = ("paper", "reference")

ColorTable = Mapping[str, str]  # name of a colour, optionally after "kind:", to its #rrggbb


class NamedHues(NamedTuple):
    """The names in a colour table that are nearest to some hue.

    names:     the names as captions contain them, in the order of the table.
    positions: the positions of these names in the table.
    nearest:   int32 [BINS], for each hue the index in `names` of its name.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    nearest: Int[np.ndarray, " bins"]


class SceneWords(NamedTuple):
    """The language of scenes, and the names of the hues of object, spotlight and background."""

    language: Language
    hues: tuple[NamedHues, ...]


def make_scene_words(tables: Sequence[ColorTable], disjoint: bool = False) -> SceneWords:
    """Returns the words of scenes for three colour tables: of object, spotlight and background.

    The name of a hue is the one that is nearest in RGB to the hue at full saturation and value
    (images show it paler), the later of two names for one colour; names that are nearest to no hue
    are omitted. A name is one word, with hyphens. The paper finds that a word in two tables
    confuses the text encoder; if `disjoint`, a word of two factors begins with its object, as in
    object-cyan.

    Raises ValueError unless there are three tables, each of two or more colours of the form #rrggbb
    that are nearest to some hue.
    """
    if len(tables) != len(HUES):
        raise ValueError(f"tables has length {len(tables)}: allowed is one for each of {HUES}")
    hues = tuple(map(name_hues, tables))
    values = {"shape": SHAPES, **PLACES}
    values |= {name: named.names for name, named in zip(HUES, hues, strict=True)}
    if disjoint:
        counts = Counter(word for words in values.values() for word in words)
        unique = lambda name, word: f"{KINDS[name]}-{word}" if counts[word] > 1 else word
        values = {
            name: tuple(unique(name, word) for word in words) for name, words in values.items()
        }
    factors = [Factor(name, words) for name, words in values.items()]
    language = make_language(factors, PHRASINGS, shared_words=not disjoint)
    return SceneWords(language, hues)


def name_hues(table: ColorTable) -> NamedHues:
    """Returns the names that are nearest to some hue, the later of two names for one colour.

    Raises ValueError for a colour that is not of the form #rrggbb and for an empty table.
    """
    if not table:
        raise ValueError("a colour table is empty: allowed are two or more colours")
    colors = np.array([_rgb(name, code) for name, code in table.items()])
    hues = (np.arange(BINS) + 0.5) / BINS
    distance = ((_full_color(hues)[:, None] - colors[None]) ** 2).sum(-1)
    last_nearest = len(colors) - 1 - distance[:, ::-1].argmin(1)
    positions, nearest = np.unique(last_nearest, return_inverse=True)
    words = [name.rpartition(":")[2].replace(" ", "-") for name in table]
    names = tuple(words[position] for position in positions)
    return NamedHues(names, tuple(positions.tolist()), nearest.astype(np.int32))


def word_values(words: SceneWords, scenes: Scenes, variant: str = "paper") -> Int[Array, "n 7"]:
    """Returns the values of all factors, as indices of their words: int32 [n, 7].

    s_pos is discretised into five equal bins. Variant "reference" names the background by the hue
    of the object, as the authors' code does if no semantic is distorted. Raises ValueError for an
    unknown variant, latents of different lengths and known latents out of range.
    """
    check_name(variant, SCENE_VARIANTS, "variant")
    check_shape("scenes.shape", scenes.shape, ("n",))
    check_scenes(scenes, scenes.shape.shape, ", as scenes.shape")
    background = scenes.b_color if variant == "paper" else scenes.color
    hues = scenes.color, scenes.s_color, background
    return _values([named.nearest for named in words.hues], scenes, hues)


@jax.jit
def _values(nearest, scenes: Scenes, hues) -> Int[Array, "n 7"]:
    colors = [names[_bin(hue, BINS)] for names, hue in zip(nearest, hues, strict=True)]
    others = scenes.shape, scenes.x_pos, scenes.y_pos, _bin(scenes.s_pos, len(COMPASS))
    return jnp.stack([*others, *colors], axis=1)


def _bin(fraction: Float[Array | np.ndarray, " n"], bins: int) -> Int[Array, " n"]:
    return jnp.clip((fraction * bins).astype(jnp.int32), 0, bins - 1)


def _rgb(name: str, code: str) -> list[float]:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise ValueError(f"the color {name} is {code!r}: allowed is #rrggbb")
    return [int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)]


def _full_color(hue: Float[np.ndarray, " bins"]) -> Float[np.ndarray, "bins 3"]:
    """Returns the RGB colours of hues at full saturation and value, in the HSV model."""
    distance = np.abs((hue[:, None] * 6 + np.array([[0.0, 4.0, 2.0]])) % 6 - 3)
    return np.clip(distance - 1, 0, 1)
