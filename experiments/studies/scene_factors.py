"""Scene factors: draws rendered scenes that differ in one latent along each row.

misalign studies.scene_factors --out=docs/results/scenes/factors.png
"""

import argparse
import dataclasses
from functools import partial
from pathlib import Path

import jax
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console

import lvm
from experiments.domains.color_tables import COLOR_TABLES
from experiments.report.figure_files import SMALLEST, new_figure, points, save_figure
from experiments.runtime.user_errors import user_errors
from lvm.captions.scene_words import SceneWords, make_scene_words, word_values
from lvm.scenes.rendering.render import Quality
from lvm.scenes.sampler import SHAPES

PICTURES_PER_ROW = 7
PICTURE_HEIGHT = 0.87  # inches, with its title
BASE = {"x_pos": 1, "y_pos": 1, "s_pos": 0.1, "color": 0.08, "s_color": 0.15, "b_color": 0.6}
UNTURNED = {"alpha": 0.5, "beta": 0.5, "gamma": 0.6}


@dataclasses.dataclass(frozen=True)
class Row:
    """A latent that varies along a row: its title, the shape that shows it, and its values."""

    latent: str
    title: str
    shape: str
    values: tuple[float, ...]
    base: dict[str, float] = dataclasses.field(default_factory=dict)


FRACTIONS = tuple((np.arange(PICTURES_PER_ROW) + 0.5) / PICTURES_PER_ROW)
ROWS = (
    Row("shape", "shape", "teapot", tuple(range(7)), {"color": 0.05}),
    Row("x_pos", "x_pos\ncolumn", "hare", (0, 1, 2)),
    Row("y_pos", "y_pos\nrow", "horse", (0, 1, 2)),
    Row("s_pos", "s_pos\nposition of the\nspotlight", "cow", FRACTIONS),
    Row("color", "color\nhue of the\nobject", "dragon", FRACTIONS),
    Row("s_color", "s_color\nhue of the\nspotlight", "teapot", FRACTIONS, {"b_color": 0.62}),
    Row("b_color", "b_color\nhue of the\nground", "armadillo", FRACTIONS),
    Row("alpha", "alpha\nimage-only\nrotation", "horse", FRACTIONS),
    Row("beta", "beta\nimage-only\nrotation", "hare", FRACTIONS),
    Row("gamma", "gamma\nimage-only\nrotation", "head", FRACTIONS, {"color": 0.95}),
)


def row_scenes(row: Row) -> lvm.Scenes:
    """Returns the scenes of one row, NumPy arrays with one entry per value."""
    base = {"shape": SHAPES.index(row.shape), **BASE, **UNTURNED, **row.base}
    columns = {name: np.full(len(row.values), base[name]) for name in lvm.Scenes._fields}
    columns[row.latent] = np.array(row.values)
    integers = ("shape", "x_pos", "y_pos")
    return lvm.Scenes(**{k: v.astype("i4" if k in integers else "f4") for k, v in columns.items()})


def save_scene_factors(path: Path, resolution: int, samples: int) -> None:
    """Draws all rows, pictures pixel by pixel, and writes the files of `save_figure`."""
    caption = (
        "Rendered scenes that differ in one latent along each row; above each picture are the "
        "value of the latent and its word in captions."
    )
    save_figure(partial(_scene_factors, resolution, samples), path, caption)


def _scene_factors(resolution: int, samples: int) -> Figure:
    render = jax.jit(lambda scene: lvm.render(scene, resolution, Quality(samples=samples)))
    words = make_scene_words(COLOR_TABLES)
    figure = new_figure(PICTURE_HEIGHT * len(ROWS))
    axes = figure.subplots(len(ROWS), PICTURES_PER_ROW)
    for line, row in zip(axes, ROWS, strict=True):
        scenes = row_scenes(row)
        labels = row_labels(words, row, scenes)
        for axis in line:
            axis.set_axis_off()
        for index, axis in enumerate(line[: len(labels)]):
            scene = jax.tree.map(lambda leaf, index=index: leaf[index], scenes)
            axis.imshow(render(scene), interpolation="nearest")
            axis.set_title(
                labels[index].replace(" ", "\n"), fontsize=points(SMALLEST), pad=points(2)
            )
        place = dict(ha="right", va="center", transform=line[0].transAxes)
        line[0].text(-0.08, 0.5, row.title, fontsize=points(7), **place)
    return figure


def row_labels(words: SceneWords, row: Row, scenes: lvm.Scenes) -> list[str]:
    """Returns the label of each picture of a row: the value, and its word in captions."""
    numbers = [f"{value:.2f} " if isinstance(value, float) else "" for value in row.values]
    if row.latent not in words.language.names:
        return [number.strip() for number in numbers]
    index = words.language.names.index(row.latent)
    values = np.asarray(word_values(words, scenes))[:, index]
    names = words.language.factors[index].values
    return [f"{number}{names[value]}" for number, value in zip(numbers, values, strict=True)]


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign studies.scene_factors", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    parser.add_argument("--resolution", type=int, default=128, help="pixels per side of each scene")
    parser.add_argument("--samples", type=int, default=2, help="rays per pixel and side")
    options = parser.parse_args()
    console = Console()
    with user_errors(), console.status("rendering"):
        save_scene_factors(options.out, options.resolution, options.samples)
    console.print(f"figure: {options.out}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
