"""MPI3D: the domain of the photographs of MPI3D-Complex, with captions of their factors."""

from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import (
    CaptionedDomain,
    ImageSplits,
    captioned_domain,
    label_images,
)
from experiments.domains.captioned_scores import LABEL_PROBES
from experiments.runtime.checks import require_least, select_known
from lvm.datasets import mpi3d


def make_mpi3d(config: ConfigDict) -> CaptionedDomain:
    """Returns the domain of the photographs at `world.data`; positions are image-only.

    Raises ValueError for a field that is out of range or missing.
    """
    require_least(config, {"world.height": 4, "world.width": 4, "world.seed": 0})
    world = config.world
    positions = tuple(world.positions)
    if len(positions) != 2 or min(positions) < 1:
        raise ValueError(f"world.positions is {positions}: allowed are two numbers, 1 or more")
    if world.data is None:
        raise ValueError(
            f"world.data is missing: give the folder of {mpi3d.FILE}, or that file, as in "
            "--config.world.data=mpi3d; docs/data.md explains how to get it"
        )

    def read(report_fraction):
        splits = mpi3d.draw_mpi3d_splits(positions, world.images, world.seed)
        images = mpi3d.open_mpi3d(
            world.data,
            positions=positions,
            height=world.height,
            width=world.width,
            cache=world.cache,
            show=lambda fraction: report_fraction(fraction / 2),
        )
        of_rows = lambda rows, *report_fraction: label_images(
            mpi3d.take_images(images, rows, *report_fraction),
            mpi3d.mpi3d_factors(rows, positions)[:, : len(mpi3d.FACTORS)],
        )
        train = of_rows(splits.train, lambda fraction: report_fraction((1 + fraction) / 2))
        return ImageSplits(train, of_rows(splits.test))

    return captioned_domain(
        lvm.make_language(mpi3d.FACTORS, mpi3d.PHRASINGS),
        select_known("evaluation.probes", config.evaluation.probes, LABEL_PROBES),
        read,
        may_equal_truth=world.may_equal_truth,
        image_shape=(world.height, world.width, 3),
    )
