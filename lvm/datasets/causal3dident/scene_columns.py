"""Causal3DIdent and scenes: between the columns of its tables and our latents and words."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int, Shaped

from lvm.captions.scene_words import COMPASS, SceneWords
from lvm.datasets.causal3dident.reading import IMAGE_COLUMNS, caption_columns
from lvm.scenes.sampler import Scenes

COLUMNS = {  # of what images show, by latent
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
    """The scenes that columns tell of, as `read_causal3dident` returns them."""
    whole = ("shape", "x_pos", "y_pos")
    return Scenes(
        **{
            name: latents[column].astype(np.int32 if name in whole else np.float32)
            for name, column in COLUMNS.items()
        }
    )


def image_columns(scenes: Scenes) -> dict[str, Shaped[np.ndarray, " n"]]:
    """The columns of what images show; all objects are at height 0."""
    columns = {column: np.asarray(getattr(scenes, name)) for name, column in COLUMNS.items()}
    columns["object_zpos"] = np.zeros(len(scenes.shape), np.float32)
    return {name: columns[name] for name in IMAGE_COLUMNS}


def text_columns(
    words: SceneWords,
    tables: Sequence[Mapping[str, str]],
    setting: tuple[str, int],
    scenes: Scenes,
    *,
    told: Int[np.ndarray, "n 7"],
    phrasing: Int[np.ndarray, " n"],
) -> dict[str, Shaped[np.ndarray, " n"]]:
    """The columns of what captions of a setting (kind, number) tell.

    told: values of the factors, as places among their words. Colors have their names and places in
    `tables`, which the words were made of. Where the direction of the spotlight is told truly,
    spotlight_pos is the spotlight's own; else the middle of the fifth of the circle that is told.
    """
    values = dict(zip(words.language.names, told.T, strict=True))
    columns = {COLUMNS[name]: values[name] for name in ("shape", "x_pos", "y_pos")}
    columns["spotlight_pos"] = _spotlight(np.asarray(scenes.s_pos), values["s_pos"])
    for named, table, (name, kind) in zip(words.hues, tables, HUE_COLUMNS.items(), strict=True):
        places = np.array(named.places, np.int32)[values[name]]
        columns[f"{kind}_color_name"] = np.array(list(table))[places]
        columns[f"{kind}_color_index"] = places
    columns["text_phrasing"] = phrasing
    return {name: columns[name] for name in caption_columns(*setting)}


def _spotlight(true: np.ndarray, told: np.ndarray) -> np.ndarray:
    fifths = np.minimum((true * len(COMPASS)).astype(int), len(COMPASS) - 1)
    return np.where(fifths == told, true, (told + 0.5) / len(COMPASS)).astype(np.float32)
