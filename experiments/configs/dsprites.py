"""dSprites: shape and scale; orientation and position are image-only.

--config.world.data=dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz
"""

from ml_collections import ConfigDict

from experiments.configs import labelled
from lvm.datasets.labelled.image_arrays import DSPRITES_FACTORS, DSPRITES_PHRASINGS


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config: captions mention, or distort, scale and shape; on 40,000 images."""
    config = labelled.get_config(recipe)
    config.world.update(
        layout="dsprites",
        factors=tuple((factor.name, factor.values) for factor in DSPRITES_FACTORS),
        phrasings=DSPRITES_PHRASINGS,
        channels=1,
        images=40_000,
    )
    config.settings = labelled.nested_settings(("scale", "shape"))
    return config
