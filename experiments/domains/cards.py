"""Cards: the domain of photographs of SET cards, with captions of the factors printed on them."""

from pathlib import Path

from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import (
    CaptionedDomain,
    ImageSplits,
    captioned_domain,
    label_images,
)
from experiments.domains.captioned_scores import LABEL_PROBES
from experiments.runtime.checks import require_fraction, require_least, select_known
from lvm.datasets import cards


def make_cards(config: ConfigDict) -> CaptionedDomain:
    """Returns the domain of the photographs at `world.data`.

    Raises ValueError for a field that is out of range or missing.
    """
    require_least(config, {"world.height": 4, "world.width": 4, "world.seed": 0})
    require_fraction(config, ["world.test_share"])
    world = config.world
    if world.data is None:
        raise ValueError(
            "world.data is missing: give the folder or the zip archive of photographs, as in "
            "--config.world.data=set_cards_labelled.zip; docs/data.md explains how to get it"
        )
    path = Path(world.data)

    def read(report_fraction):
        skipped: list[str] = []
        skip = skipped.append if world.skip_undecodable else None
        photographs = cards.read_cards(
            path, height=world.height, width=world.width, skip=skip, show=report_fraction
        )
        for message in skipped:
            print(f"left out: {message}")
        parts = cards.split_sessions(photographs, world.test_share, world.seed)
        return ImageSplits(*(label_images(part.images, part.factors) for part in parts))

    return captioned_domain(
        lvm.make_language(cards.FACTORS, cards.PHRASINGS),
        select_known("evaluation.probes", config.evaluation.probes, LABEL_PROBES),
        read,
        may_equal_truth=world.may_equal_truth,
        image_shape=(world.height, world.width, 3),
    )
