"""MPI3D: the domain of photographs of MPI3D-Complex and captions of what the robot holds."""

from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import Pictures, captioned_domain, labelled
from experiments.domains.captioned_scores import LABEL_JUDGES
from experiments.domains.domain import Domain
from experiments.runtime.checks import require_least, take_known
from lvm.datasets import mpi3d


def make_mpi3d(config: ConfigDict) -> Domain:
    """The domain of the photographs that a config points at; positions belong to the image alone.

    Raises ValueError for a field out of range or missing.
    """
    require_least(config, {"world.height": 4, "world.width": 4, "world.seed": 0})
    world = config.world
    positions = tuple(world.positions)
    if len(positions) != 2 or min(positions) < 1:
        raise ValueError(f"world.positions is {positions}: allowed are two numbers, 1 or more")
    if world.data is None:
        raise ValueError(
            f"world.data is missing: give the folder of {mpi3d.FILE}, or that file, as in "
            "--config.world.data=mpi3d; the README says how to get it"
        )

    def load(show):
        splits = mpi3d.draw_mpi3d_splits(positions, world.images, world.seed)
        converting, reading = (lambda share: show(share / 2)), (lambda share: show((1 + share) / 2))
        images = mpi3d.open_mpi3d(
            world.data,
            positions=positions,
            height=world.height,
            width=world.width,
            cache=world.cache,
            show=converting,
        )
        of_rows = lambda rows, *show: labelled(
            mpi3d.take_images(images, rows, *show),
            mpi3d.mpi3d_factors(rows, positions)[:, : len(mpi3d.FACTORS)],
        )
        return Pictures(of_rows(splits.train, reading), of_rows(splits.test))

    return captioned_domain(
        lvm.make_language(mpi3d.FACTORS, mpi3d.PHRASINGS),
        take_known("evaluation.probes", config.evaluation.probes, LABEL_JUDGES),
        world.may_equal_truth,
        (world.height, world.width, 3),
        load,
    )
