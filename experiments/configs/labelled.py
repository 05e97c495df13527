"""Images of your own with labels: the fields of the domain, to be completed by a config of yours.

docs/guide/own_images.md is an example.
"""

from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import default

LAWS = {"dependence": "natural", "noise_law": "natural"}  # as in the data


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns a config without factors, phrasings and settings, locked: a misspelt field raises."""
    config = default.common(recipe)
    config.domain = "labelled"
    config.world = {
        "layout": "npz",  # or folder, dsprites, shapes3d, mpi3d, multimodal3dident
        "data": placeholder(str),  # the file or folder of the images
        "label_file": placeholder(str),  # the CSV or npz file of labels; None for that in `data`
        "caption_file": placeholder(str),  # a text file, one per image; None for generated ones
        "cache": placeholder(str),  # the folder of an npy copy of the images; None for the same
        "columns": (),  # of `latents_classes`, by name; () for the names of the factors
        "factors": (),  # (name, words of its values) of each column that captions mention
        "phrasings": (),  # of generated captions, with "[segments with a {factor}]"
        "numbers": (),  # columns that are measured as numbers, if captions are read
        "height": 64,  # pixels of an image
        "width": 64,
        "channels": 3,  # or 1
        "resize": False,  # whether image files of other sizes are resized
        "images": placeholder(int),  # drawn for both splits; None for all
        "test_share": 0.15,  # of the images, kept for tests, unless the data set has splits
        "seed": 0,  # of that draw
        "vocabulary": 1000,  # words at most, if captions are read; all others are unknown
        "length": 32,  # words of a caption that is read; those after it are dropped
        "may_equal_truth": True,  # whether a replaced value may equal the true one, as in the paper
    }
    config.evaluation = {"probes": ("linear", "mlp")}
    return config.lock()


def setting(selected: str, perturbable: str = "", **fields: Any) -> ConfigDict:
    """Returns one setting, as `default.setting` does, under the laws in the data."""
    return default.setting(selected, perturbable, **LAWS, **fields)


def nested_settings(names: tuple[str, ...]) -> tuple[ConfigDict, ...]:
    """Returns settings of captions that mention, or distort, more and more factors.

    Values are distorted with probability 0.9, as in the paper.
    """
    every = " ".join(names)
    select = [setting(" ".join(names[:count])) for count in range(1, len(names) + 1)]
    perturb = [
        setting(every, " ".join(names[kept:]), noise_probability=0.9)
        for kept in range(len(names) - 1, 0, -1)
    ]
    return (*select, *perturb)
