"""Rendered scenes (paper figures 6 and 14 to 18); captions mention more and more latents."""

from ml_collections import ConfigDict

import lvm
from experiments.configs import default

FACTORS = lvm.Scenes._fields[:7]
LAWS = {"dependence": "natural", "noise_law": "natural"}  # as in the data
PAPER_SIZES = (3, 3, 4, 5, 5, 6, 7)  # of encodings, by how many semantics are unbiased

Sizes = tuple[int | None, ...]  # None for the number of unbiased semantics


def get_config(recipe: str = "resnet", sizes: Sizes = PAPER_SIZES) -> ConfigDict:
    """Returns the config: captions omit, or distort, fewer and fewer semantics.

    Distorted words are always redrawn. Full selection without distortion belongs to both studies
    and occurs once.
    """
    config = study(recipe, sizes)
    config.domain = "scenes"
    config.world.update(
        images=100_000,  # of all splits: 80 % to train on, 10 % to test on
        resolution=128,  # pixels a side
        samples=1,  # rays per pixel and side, of the object
        seed=0,  # of the scenes
    )
    return config.lock()


def study(recipe: str, sizes: Sizes = PAPER_SIZES) -> ConfigDict:
    """Returns the config for any source of scenes; not locked, since a domain adds its fields."""
    config = default.common(recipe)
    config.world = {
        "variant": "paper",  # or "reference": backgrounds named by the hue of the object
        "disjoint_words": False,  # whether words shared by factors get prefixes: object-cyan
        "may_equal_truth": True,  # whether a replaced value may equal the true one, as in the paper
    }
    config.evaluation = {"probes": ("linear", "mlp")}
    every = " ".join(FACTORS)
    select = [
        default.setting(" ".join(FACTORS[:count]), encoding_size=sizes[count - 1], **LAWS)
        for count in range(1, len(FACTORS) + 1)
    ]
    perturb = [
        default.setting(
            every,
            " ".join(FACTORS[kept:]),
            encoding_size=sizes[kept - 1],
            noise_probability=1.0,
            **LAWS,
        )
        for kept in range(1, len(FACTORS))
    ]
    config.settings = (*select, *perturb)
    return config
