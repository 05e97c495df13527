"""Export: writes the lanes of a run to one file, or scenes in the layout of Causal3DIdent.

misalign export runs/quickstart --all [--out=lanes.safetensors]
misalign export runs/quickstart --only="dependence=independent,seed=0"
misalign export --out=scenes3d --images=10000
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Key
from rich.console import Console

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from experiments.rundir.lane_files import export_lanes
from experiments.runtime.devices import fix_numeric_settings
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from experiments.sweep.loading import chosen_numbers
from lvm import datasets
from lvm.captions.generation import replace_values
from lvm.captions.scene_words import SceneWords, make_scene_words, word_values
from lvm.datasets.causal3dident.reading import KINDS
from lvm.datasets.causal3dident.writing import Captions
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

SEMANTICS = 7
SETTINGS = [(kind, number) for kind in KINDS for number in range(SEMANTICS)]
CAPTION_KEY_SEED = 1  # so that captions never share a key with their scenes


def export_scenes(
    folder: Path,
    words: SceneWords,
    *,
    images: int,
    resolution: int,
    samples: int,
    seed: int,
    show: Callable[[float], object],
) -> None:
    """Writes a new folder of scenes that are sampled by a seed, with captions of all settings.

    The scenes are those of the domain `scenes` with this seed and number of images. `show` is
    called with the fraction of the images that is written. Raises ValueError for a number that is
    out of range and for a folder that exists, OSError if the disk refuses the write; an interrupted
    write leaves no partial output.
    """
    for name, value in {"images": images, "resolution": resolution}.items():
        if value < 1:
            raise ValueError(f"{name} is {value}: allowed is 1 or more")
    scenes = jax.device_get(lvm.sample_scenes(jax.random.key(seed), images))
    key_captions = jax.random.fold_in(jax.random.key(CAPTION_KEY_SEED), seed)
    keys = jax.random.split(key_captions, len(SETTINGS))
    batches = render_batches(scenes, resolution, Quality(samples=samples))
    captions = {
        setting: _captions(key, words, setting, scenes)
        for key, setting in zip(keys, SETTINGS, strict=True)
    }
    pictures = chain.from_iterable(batches)
    columns = datasets.image_columns(scenes)
    datasets.write_causal3dident(folder, pictures, columns, captions, show=show)


def setting_bias(kind: str, number: int) -> lvm.Bias:
    """Returns the bias of a setting, over seven semantics.

    Selections select the first `number + 1` semantics. Perturbations select all semantics and
    perturb all but the first `number + 1`.
    """
    first = np.arange(SEMANTICS) <= number
    if kind == "selections":
        return lvm.Bias(first, np.zeros(SEMANTICS, bool))
    return lvm.Bias(np.ones(SEMANTICS, bool), ~first)


def _captions(
    key: Key[Array, ""], words: SceneWords, setting: tuple[str, int], scenes: lvm.Scenes
) -> Captions:
    """Sentences of one setting, and their values by the columns of the layout."""
    key_phrasing, key_values = jax.random.split(key)
    language, bias = words.language, setting_bias(*setting)
    count = len(scenes.shape)
    phrasing = jax.random.randint(key_phrasing, (count,), 0, len(language.phrasings))
    caption_values = replace_values(
        key_values,
        language,
        word_values(words, scenes),
        perturbable=bias.perturbable,
        probability=1.0,
    )
    ids = lvm.generate_captions(language, caption_values, phrasing, bias.selected)
    columns = datasets.text_columns(
        words,
        COLOR_TABLES,
        setting,
        scenes,
        caption_values=np.asarray(caption_values),
        phrasing=np.asarray(phrasing),
    )
    return lvm.sentences(language, np.asarray(ids)), columns


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign export", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", help="a run, to export its lanes")
    parser.add_argument("--all", action="store_true", help="export all lanes of the run")
    parser.add_argument("--only", action="append", default=[], help="or these: CONDITIONS")
    parser.add_argument("--out", type=Path, help="new folder of scenes; new file of lanes")
    parser.add_argument("--images", type=int, default=100_000, help="number of images")
    parser.add_argument("--resolution", type=int, default=128, help="pixels per side")
    parser.add_argument("--samples", type=int, default=1, help="rays per pixel and side")
    parser.add_argument("--seed", type=int, default=0, help="of the scenes and captions")
    parser.add_argument(
        "--disjoint-words",
        action="store_true",
        help="prefix a word that two factors share with object-, spotlight- or background-",
    )
    options = parser.parse_args(arguments)
    if options.directory is None:
        if options.out is None or options.all or options.only:
            parser.error("give --out=FOLDER for scenes, or a run directory for lanes")
        _export_scenes(options)
        return
    if options.all == bool(options.only):
        parser.error("give --all or --only=CONDITIONS, one of them")
    with user_errors():
        numbers = chosen_numbers(options.directory, options.only)
        path = options.out or Path(f"{options.directory}.npz")
        export_lanes(options.directory, numbers, path)
    print(f"{len(numbers)} lanes: {path}")


def _export_scenes(options: argparse.Namespace) -> None:
    fix_numeric_settings()
    console = Console()
    with user_errors():
        words = make_scene_words(COLOR_TABLES, options.disjoint_words)
        with progress(console) as show:
            export_scenes(
                options.out,
                words,
                images=options.images,
                resolution=options.resolution,
                samples=options.samples,
                seed=options.seed,
                show=lambda fraction: show("rendering", fraction, ""),
            )
    console.print(f"{options.images} images: {options.out}", highlight=False, soft_wrap=True)
    console.print(
        f"train on them: misalign run causal3dident --config.world.data={options.out}",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
