"""Export: rendered scenes with their captions, as a folder in the layout of Causal3DIdent.

python -m experiments.export --out=scenes3d --images=10000
"""

import argparse
import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import jax
import numpy as np
from rich.console import Console

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from experiments.runtime.progress import progress
from lvm import datasets
from lvm.captions.generation import replace_values
from lvm.captions.scene_words import make_scene_words, word_values
from lvm.datasets.causal3dident.reading import KINDS
from lvm.datasets.causal3dident.writing import Captions
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

SEMANTICS = 7
SETTINGS = [(kind, number) for kind in KINDS for number in range(SEMANTICS)]


def export(
    folder: Path, images: int, resolution: int, samples: int, seed: int, words, show
) -> None:
    """Writes a new folder of scenes drawn by a seed, with captions of all settings.

    The scenes are those of the domain `scenes` with this seed and number. `show` hears the share
    of the images that is written. Raises ValueError for a number out of range and for a folder that
    is there already, OSError where the disk does not take it; nothing that looks whole is left.
    """
    for name, value in {"images": images, "resolution": resolution}.items():
        if value < 1:
            raise ValueError(f"{name} is {value}: allowed is 1 or more")
    key = jax.random.key(seed)
    scenes = jax.device_get(lvm.sample_scenes(key, images))
    batches = render_batches(scenes, resolution, Quality(samples=samples))
    captions = {
        setting: _captions(words, setting, scenes, jax.random.fold_in(key, place))
        for place, setting in enumerate(SETTINGS)
    }
    pictures = chain.from_iterable(batches)
    datasets.write_causal3dident(
        folder, pictures, datasets.image_columns(scenes), captions, show=show
    )


def setting_bias(kind: str, number: int) -> lvm.Bias:
    """Of selections, the first semantics, one more from setting to setting; else those told truly.

    Perturbations tell all, and the first ones truly.
    """
    first = np.arange(SEMANTICS) <= number
    if kind == "selections":
        return lvm.Bias(first, np.zeros(SEMANTICS, bool))
    return lvm.Bias(np.ones(SEMANTICS, bool), ~first)


def _captions(words, setting: tuple[str, int], scenes: lvm.Scenes, key) -> Captions:
    """Sentences of one setting, and what they tell by the columns of the layout."""
    key_phrasing, key_values = jax.random.split(key)
    language, bias = words.language, setting_bias(*setting)
    count = len(scenes.shape)
    phrasing = jax.random.randint(key_phrasing, (count,), 0, len(language.phrasings))
    values = word_values(words, scenes)
    told = replace_values(
        key_values, language, values, perturbable=bias.perturbable, probability=1.0
    )
    ids = lvm.generate_captions(language, told, phrasing, bias.selected)
    columns = datasets.text_columns(
        words, COLOR_TABLES, setting, scenes, told=np.asarray(told), phrasing=np.asarray(phrasing)
    )
    return lvm.sentences(language, np.asarray(ids)), columns


def main(arguments: Iterable[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.export", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write, a new one")
    parser.add_argument("--images", type=int, default=100_000, help="how many")
    parser.add_argument("--resolution", type=int, default=128, help="pixels a side")
    parser.add_argument("--samples", type=int, default=1, help="rays through a pixel, to a side")
    parser.add_argument("--seed", type=int, default=0, help="of the scenes and captions")
    parser.add_argument(
        "--disjoint-words",
        action="store_true",
        help="a word that tells two factors begins with what it is about: object-cyan",
    )
    options = parser.parse_args(arguments)
    console = Console()
    try:
        words = make_scene_words(COLOR_TABLES, options.disjoint_words)
        with progress(console) as show:
            export(
                options.out,
                options.images,
                options.resolution,
                options.samples,
                options.seed,
                words,
                lambda share: show("rendering", share, ""),
            )
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    console.print(f"{options.images} images: {options.out}", highlight=False, soft_wrap=True)
    console.print(
        "train on them: python -m experiments.run --config=experiments/configs/causal3dident.py "
        f"--config.world.data={options.out}",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
