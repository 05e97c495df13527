"""Look: photographs with the captions of every setting, and what each representation calls alike.

python -m experiments.gallery runs/cards_small
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

import mmcl
import probes
from experiments.report.figure_files import save_figure
from experiments.report.tables import setting_labels
from experiments.sweep.loading import LoadedLane, encode, load_lane, read_plan
from experiments.sweep.plan import Plan

CROPS = 4  # shown with their captions
QUERIES, NEIGHBOURS = 3, 5
SEARCHED = 4096  # training images that neighbours are sought among
PART = 512  # images that are encoded at once


def look(directory: Path, console: Console) -> list[Path]:
    """Draws `figures/captions.png` and `figures/neighbours.png` of a run, by its first seed.

    Raises ValueError for what is no run directory, holds no photographs, or has no checkpoint yet.
    """
    plan = read_plan(directory)
    if plan.domain.words is None:
        raise ValueError(f"{directory} is a run without photographs: there is nothing to look at")
    numbers = [place for place, lane in enumerate(plan.lanes) if lane.seed == 0]
    with console.status("reading photographs"):
        shared = plan.domain.load(lambda share: None)
    lanes = [load_lane(directory, number) for number in numbers]
    names = list(setting_labels(pd.DataFrame(lane.lane for lane in lanes)))
    places = _spread(len(shared.test.images), CROPS)
    with console.status("drawing figures"):
        crops = jax.tree.map(lambda leaf: leaf[places], shared.test)
        texts = [_captions(plan, number, crops) for number in numbers]
        captioned = directory / "figures" / "captions.png"
        save_captions(crops.images, names, texts, captioned)
        text = _pairs(plan, 0, plan.domain.blank.test).t  # that no representation of x looks at
        rows = [_neighbours(lane, text, shared) for lane in lanes]
        alike = directory / "figures" / "neighbours.png"
        save_neighbours(shared, names, rows, alike)
    return [captioned, alike]


def save_captions(
    images: np.ndarray, names: Sequence[str], texts: Sequence[Sequence[str]], path: Path
) -> None:
    """A photograph a row, with what each setting says of it."""
    figure = Figure(figsize=(9, 0.14 * len(images) * (len(names) + 1)), layout="constrained")
    axes = figure.subplots(len(images), 2, squeeze=False, width_ratios=(1, 9))
    for place, (picture, told) in enumerate(axes):
        picture.imshow(images[place])
        lines = [f"{name}:  {of_name[place]}" for name, of_name in zip(names, texts, strict=True)]
        told.text(0, 0.5, "\n".join(lines), fontsize=7, va="center", transform=told.transAxes)
        for axis in (picture, told):
            axis.set_axis_off()
    save_figure(figure, path)


def save_neighbours(shared, names: Sequence[str], rows: Sequence[np.ndarray], path: Path) -> None:
    """A setting a row: test images, each before the training images that are nearest to it."""
    width = QUERIES * (NEIGHBOURS + 1)
    figure = Figure(figsize=(0.5 * width + 2, 0.72 * len(names) + 0.4), layout="constrained")
    axes = figure.subplots(len(names), width, squeeze=False)
    places = _queries(shared)
    for line, name, near in zip(axes, names, rows, strict=True):
        for query, place in enumerate(places):
            pictures = [shared.test.images[place], *shared.train.images[near[query]]]
            begin = query * (NEIGHBOURS + 1)
            for axis, picture in zip(line[begin:], pictures, strict=False):
                axis.imshow(picture)
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(axis is line[begin])
                axis.spines[:].set_linewidth(2)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    figure.suptitle("Framed: a test photograph. After it: those nearest to it.", fontsize=8)
    save_figure(figure, path)


def _captions(plan: Plan, number: int, crops) -> list[str]:
    return plan.domain.words.sentences(np.asarray(_pairs(plan, number, crops).t))


def _pairs(plan: Plan, number: int, crops):
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf[number]), plan.data)
    return plan.domain.words.caption(lane, jax.random.key(0), crops)


def _neighbours(lane: LoadedLane, text, shared) -> np.ndarray:
    """Places of the training images nearest to each query, by the lane's image representation."""
    of = jax.jit(lambda images: encode(lane, mmcl.Modalities(images, text)).x)
    searched = _spread(len(shared.train.images), SEARCHED)
    train = shared.train.images[searched]
    parts = [of(train[begin : begin + PART]) for begin in range(0, len(train), PART)]
    queries = of(shared.test.images[_queries(shared)])
    return searched[np.asarray(probes.nearest(queries, jnp.concatenate(parts), NEIGHBOURS))]


def _queries(shared) -> np.ndarray:
    return _spread(len(shared.test.images), QUERIES + 2)[1:-1]


def _spread(size: int, count: int) -> np.ndarray:
    """So many places, all if there are fewer, spread evenly: photographs lie in order of kind."""
    return np.linspace(0, size - 1, min(count, size)).astype(int)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.gallery", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory of photographs")
    options = parser.parse_args()
    console = Console()
    try:
        for path in look(options.directory, console):
            console.print(f"figure: {path}", highlight=False, soft_wrap=True)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
