"""Scenes (figures 6, 14 to 18): rendered ones, of which captions tell one latent after another."""

from ml_collections import ConfigDict

import lvm
from experiments.configs import default

FACTORS = lvm.Scenes._fields[:7]
LAW = "natural"
PAPER_SIZES = (3, 3, 4, 5, 5, 6, 7)  # of encodings, by how many semantics are unbiased

Sizes = tuple[int | None, ...]  # None: as many as are unbiased


def get_config(recipe: str = "resnet", sizes: Sizes = PAPER_SIZES) -> ConfigDict:
    """Captions that leave out fewer and fewer semantics, and that get fewer and fewer wrong.

    Wrong words are always drawn anew. Full selection without distortion is the last of either.
    """
    config = study(recipe, sizes)
    config.domain = "scenes"
    config.world.update(
        images=100_000,  # of all splits: eight tenths to train on, one to test on
        resolution=128,  # pixels a side
        samples=1,  # rays through a pixel of the object, to a side
        seed=0,  # of the scenes
    )
    return config.lock()


def study(recipe: str, sizes: Sizes = PAPER_SIZES) -> ConfigDict:
    """The settings, whatever shows the scenes; not locked, since a domain adds its own fields."""
    config = default.common(recipe)
    config.world = {
        "variant": "paper",  # or "reference": backgrounds are named by the hue of the object
        "disjoint_words": False,  # whether words of two factors are told apart: object-cyan
        "may_equal_truth": True,  # whether a distorted value may be the true one, as in the paper
    }
    config.evaluation = {"probes": ("linear", "mlp")}
    every = " ".join(FACTORS)
    select = [
        default.setting(" ".join(FACTORS[:count]), "", LAW, sizes[count - 1])
        for count in range(1, len(FACTORS) + 1)
    ]
    perturb = [
        default.setting(every, " ".join(FACTORS[kept:]), LAW, sizes[kept - 1], 1.0)
        for kept in range(1, len(FACTORS))
    ]
    config.settings = (*select, *perturb)
    return config
