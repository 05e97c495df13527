"""Gallery: draws images with the captions of every setting, and their nearest neighbours.

misalign gallery runs/cards_small
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from textwrap import fill

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

import probes
from experiments.domains.captioned import CaptionedDomain, ImageSplits, LabelledImages
from experiments.domains.captioned_scores import ENCODED_TOGETHER, evenly_spaced
from experiments.report.figure_files import SMALLEST, new_figure, points, save_figure
from experiments.report.figure_text import plain_text
from experiments.report.tables import setting_labels
from experiments.runtime.devices import fix_numeric_settings
from experiments.runtime.user_errors import user_errors
from experiments.sweep.loading import LoadedLane, encode_images, load_lane, read_plan
from experiments.sweep.plan import Plan

CAPTIONED = 4  # images shown with their captions
QUERIES, NEIGHBOURS = 3, 5
CAPTION_LETTERS, NAME_LETTERS = 100, 24  # in a line
LINE, PICTURE_HEIGHT = 0.12, 0.27  # inches
SEARCHED = 4096  # training images among which neighbours are searched


def draw_gallery(directory: Path, console: Console) -> list[Path]:
    """Draws `figures/captions.png` and `figures/neighbours.png` of a run, for its first seed.

    Raises ValueError if `directory` is not a run directory, has no images, or no checkpoint yet.
    """
    plan = read_plan(directory)
    if not isinstance(plan.domain, CaptionedDomain):
        raise ValueError(f"{directory} is a run without images: allowed is one of images")
    numbers = [number for number, lane in enumerate(plan.lanes) if lane.seed == 0]
    with console.status("reading images"):
        splits = plan.domain.load(lambda fraction: None)
    lanes = [load_lane(directory, number) for number in numbers]
    names = list(setting_labels(pd.DataFrame(lane.identity for lane in lanes)))
    with console.status("drawing figures"):
        rows = evenly_spaced(len(splits.test.images), CAPTIONED)
        shown = jax.tree.map(lambda leaf: leaf[rows], splits.test)
        texts = [_captions(plan, number, shown) for number in numbers]
        captions = directory / "figures" / "captions.png"
        save_captions(shown.images, names, texts, captions)
        nearest = [_neighbours(lane, splits) for lane in lanes]
        neighbours = directory / "figures" / "neighbours.png"
        save_neighbours(splits, names, nearest, neighbours)
    return [captions, neighbours]


def save_captions(
    images: np.ndarray, names: Sequence[str], texts: Sequence[Sequence[str]], path: Path
) -> None:
    """Draws one image per row, with its caption under each setting."""
    caption = "Test images, and a caption of each under every setting."
    save_figure(partial(_captions_figure, images, names, texts), path, caption)


def _captions_figure(
    images: np.ndarray, names: Sequence[str], texts: Sequence[Sequence[str]]
) -> Figure:
    shown = [
        [
            fill(f"{name}:  {captions[index]}", CAPTION_LETTERS, subsequent_indent="    ")
            for name, captions in zip(names, texts, strict=True)
        ]
        for index in range(len(images))
    ]
    heights = [LINE * (2 + "\n".join(lines).count("\n")) for lines in shown]
    figure = new_figure(sum(heights))
    axes = figure.subplots(
        len(images), 2, squeeze=False, width_ratios=(1, 7), height_ratios=heights
    )
    for (image_axis, text_axis), image, lines in zip(axes, images, shown, strict=True):
        _show(image_axis, image)
        style = dict(fontsize=points(SMALLEST), va="center", transform=text_axis.transAxes)
        text_axis.text(0, 0.5, plain_text("\n".join(lines)), **style)
        for axis in (image_axis, text_axis):
            axis.set_axis_off()
    return figure


def save_neighbours(
    splits: ImageSplits, names: Sequence[str], nearest: Sequence[np.ndarray], path: Path
) -> None:
    """Draws one setting per row: test images, each followed by its nearest training images.

    nearest: for each setting, numbers of training images [QUERIES, NEIGHBOURS].
    """
    caption = (
        f"Framed: {QUERIES} test images; after each: the training images nearest to it by the "
        "representation of a setting, one setting per row."
    )
    save_figure(partial(_neighbours_figure, splits, names, nearest), path, caption)


def _neighbours_figure(
    splits: ImageSplits, names: Sequence[str], nearest: Sequence[np.ndarray]
) -> Figure:
    width = QUERIES * (NEIGHBOURS + 1)
    figure = new_figure(PICTURE_HEIGHT * len(names))
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    axes = figure.subplots(len(names), width, squeeze=False)
    for line, name, found in zip(axes, names, nearest, strict=True):
        for query, row in enumerate(_queries(splits)):
            pictures = [splits.test.images[row], *splits.train.images[found[query]]]
            begin = query * (NEIGHBOURS + 1)
            for axis, picture in zip(line[begin:], pictures, strict=False):
                _show(axis, picture)
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(axis is line[begin])
                axis.spines[:].set_linewidth(points(1.2))
        label = plain_text(fill(name, NAME_LETTERS))
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=points(SMALLEST))
    return figure


def _captions(plan: Plan, number: int, images: LabelledImages) -> list[str]:
    return plan.domain.sentences(np.asarray(_pairs(plan, number, images).t))


def _pairs(plan: Plan, number: int, images: LabelledImages):
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf[number]), plan.data)
    return plan.domain.caption(jax.random.key(0), lane, images)


def _show(axis, image: np.ndarray) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)  # the map is of images with one channel


def _neighbours(lane: LoadedLane, splits: ImageSplits) -> np.ndarray:
    """Numbers of the training images nearest to each query, by the image representation."""
    represent = jax.jit(partial(encode_images, lane))
    searched = evenly_spaced(len(splits.train.images), SEARCHED)
    train = splits.train.images[searched]
    parts = [
        represent(train[begin : begin + ENCODED_TOGETHER])
        for begin in range(0, len(train), ENCODED_TOGETHER)
    ]
    queries = represent(splits.test.images[_queries(splits)])
    return searched[np.asarray(probes.nearest(queries, jnp.concatenate(parts), NEIGHBOURS))]


def _queries(splits: ImageSplits) -> np.ndarray:
    return evenly_spaced(len(splits.test.images), QUERIES + 2)[1:-1]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign gallery", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory of images")
    fix_numeric_settings()
    options = parser.parse_args()
    console = Console()
    with user_errors():
        for path in draw_gallery(options.directory, console):
            console.print(f"figure: {path}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
