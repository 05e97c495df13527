"""Mention rates: captions that mention factors at rates from 0 to 1, in three worlds.

misalign run mention_rates:cards --config.world.data=set_cards_labelled.zip
misalign run mention_rates:shapes --config.world.data=shapes.npz
misalign run mention_rates:scenes

Table and figure: misalign studies.mention_rates DIRECTORY ...
"""

from collections.abc import Mapping

from ml_collections import ConfigDict

from experiments.configs import cards, default, labelled, scenes

OMISSION_RATES = (0.1, 0.5, 0.9)  # beside 0 and 1, which are selections
KINDS = ("mcar", "mar", "mnar")
SMALL_RECIPE = {"widths": (64, 128), "text_widths": (64, 64), "batch": 128, "group": 128}
SHAPES_FACTORS = (
    ("shape", ("square", "ellipse", "diamond")),
    ("size", ("small", "medium", "large")),
    ("ink", ("red", "green", "blue")),
    ("paper", ("black", "grey", "white")),
)
SHAPES_PHRASINGS = (
    "a picture [of one {shape}] [that is {size}] [drawn in {ink}] [on {paper} paper]",
    "[on some {paper} sheet] [in {ink} ink] [the {size} figure] [shows some {shape}]",
)


def get_config(world: str = "cards") -> ConfigDict:
    """Returns the config of a world: cards, shapes or scenes.

    Each half of the factors is omitted in turn, and always mentioned in turn. Representations have
    a column for every factor that is always mentioned, or for every factor.

    Raises ValueError for another world.
    """
    if world not in WORLDS:
        raise ValueError(f"world is {world!r}: allowed is one of {', '.join(WORLDS)}")
    config = WORLDS[world]()
    config.seeds = 2
    return config


def settings(columns: Mapping[str, int]) -> tuple[ConfigDict, ...]:
    """Returns the settings for factors that need so many columns of a representation each."""
    names = list(columns)
    size = lambda chosen: sum(columns[name] for name in chosen)
    half = len(names) // 2
    omitted = names[half:], names[:half]
    return (
        _setting(names, [], size(names)),
        *(
            _setting(mentioned, [], column_count)
            for mentioned in reversed(omitted)
            for column_count in (size(mentioned), size(names))
        ),
        *(
            _setting(names, group, column_count, misalignment=kind, noise_probability=rate)
            for group in omitted
            for column_count in (size(names) - size(group), size(names))
            for kind in KINDS
            for rate in OMISSION_RATES
        ),
    )


def _setting(selected, perturbable, size: int, **fields) -> ConfigDict:
    return default.setting(
        " ".join(selected), " ".join(perturbable), encoding_size=size, **cards.LAWS, **fields
    )


def _cards() -> ConfigDict:
    config = cards.get_config("patches")
    config.world.update(height=24, width=16)
    config.settings = settings(dict.fromkeys(cards.FACTORS, 1))
    config.evaluation.probes = ("logistic",)
    config.recipe.update(SMALL_RECIPE, steps=600)
    return config


def _shapes() -> ConfigDict:
    config = labelled.get_config("patches")
    config.world.update(
        height=24, width=24, factors=SHAPES_FACTORS, phrasings=SHAPES_PHRASINGS, test_share=0.2
    )
    config.settings = settings({name: 1 for name, _ in SHAPES_FACTORS})
    config.evaluation.probes = ("linear",)
    config.recipe.update(SMALL_RECIPE, steps=400)
    return config


def _scenes() -> ConfigDict:
    config = scenes.get_config("patches")
    # words of one factor alone, so that the audit counts every word once
    config.world.update(resolution=32, images=8000, disjoint_words=True)
    # a hue is a circle, which needs two columns
    config.settings = settings({"x_pos": 1, "y_pos": 1, "color": 2})
    config.evaluation.probes = ("linear",)
    config.recipe.update(SMALL_RECIPE, steps=400)
    return config


WORLDS = {"cards": _cards, "shapes": _shapes, "scenes": _scenes}
