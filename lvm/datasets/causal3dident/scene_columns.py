"""Scene columns: conversion between scenes and captions and the columns of Causal3DIdent."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int, Shaped

from lvm.captions.scene_words import COMPASS, SceneWords
from lvm.datasets.causal3dident.reading import IMAGE_COLUMNS, caption_columns
from lvm.scenes.sampler import Scenes

COLUMNS = {  # latent to column of the image table
    "shape": "object_shape",
    "x_pos": "object_xpos",
    "y_pos": "object_ypos",
    "s_pos": "spotlight_pos",
    "color": "object_color",
    "s_color": "spotlight_color",
    "b_color": "background_color",
    "alpha": "object_alpharot",
    "beta": "object_betarot",
    "gamma": "object_gammarot",
}
HUE_COLUMNS = {"color": "object", "s_color": "splotlight", "b_color": "background"}


def scenes_from_columns(latents: Mapping[str, Shaped[np.ndarray, " n"]]) -> Scenes:
    """Returns the scenes of latents by column, as `read_causal3dident` returns them."""
    integers = ("shape", "x_pos", "y_pos")
    return Scenes(
        **{
            name: latents[column].astype(np.int32 if name in integers else np.float32)
            for name, column in COLUMNS.items()
        }
    )


def image_columns(scenes: Scenes) -> dict[str, Shaped[np.ndarray, " n"]]:
    """Returns the latents of scenes by column; all objects are at height 0."""
    columns = {column: np.asarray(getattr(scenes, name)) for name, column in COLUMNS.items()}
    columns["object_zpos"] = np.zeros(len(scenes.shape), np.float32)
    return {name: columns[name] for name in IMAGE_COLUMNS}


def text_columns(
    words: SceneWords,
    tables: Sequence[Mapping[str, str]],
    setting: tuple[str, int],
    scenes: Scenes,
    *,
    caption_values: Int[np.ndarray, "n 7"],
    phrasing: Int[np.ndarray, " n"],
) -> dict[str, Shaped[np.ndarray, " n"]]:
    """Returns the caption values of a setting (kind, number) by column.

    tables:         the colour tables that `words` was made from; colours are given by their names
                    and positions in these.
    caption_values: int32 [n, 7], values of the factors, as indices of their words.
    phrasing:       int32 [n], index of the phrasing.

    If a caption is right about the direction of the spotlight, spotlight_pos is the true position;
    otherwise it is the middle of the fifth of the circle that the caption mentions.
    """
    values = dict(zip(words.language.names, caption_values.T, strict=True))
    columns = {COLUMNS[name]: values[name] for name in ("shape", "x_pos", "y_pos")}
    columns["spotlight_pos"] = _spotlight(np.asarray(scenes.s_pos), values["s_pos"])
    for named, table, (name, kind) in zip(words.hues, tables, HUE_COLUMNS.items(), strict=True):
        positions = np.array(named.positions, np.int32)[values[name]]
        columns[f"{kind}_color_name"] = np.array(list(table))[positions]
        columns[f"{kind}_color_index"] = positions
    columns["text_phrasing"] = phrasing
    return {name: columns[name] for name in caption_columns(*setting)}


def _spotlight(position: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Returns the true position where the direction of the caption is right, else its middle."""
    true_direction = np.minimum((position * len(COMPASS)).astype(int), len(COMPASS) - 1)
    middle = (direction + 0.5) / len(COMPASS)
    return np.where(true_direction == direction, position, middle).astype(np.float32)
