"""Cards: the domain of photographs of SET cards and captions of what is printed on them."""

from pathlib import Path

from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import Pictures, captioned_domain, labelled
from experiments.domains.captioned_scores import LABEL_JUDGES
from experiments.domains.domain import Domain
from experiments.runtime.checks import require_least, require_share, take_known
from lvm.datasets import cards


def make_cards(config: ConfigDict) -> Domain:
    """The domain of the photographs that a config points at.

    Raises ValueError for a field out of range or a path where nothing is.
    """
    require_least(config, {"world.height": 4, "world.width": 4, "world.seed": 0})
    require_share(config, ["world.test_share"])
    world = config.world
    if world.data is None:
        raise ValueError(
            "world.data is missing: give the folder or the zip archive of photographs, as in "
            "--config.world.data=set_cards_labelled.zip; the README says how to get it"
        )
    path = Path(world.data)

    def load(show):
        skipped: list[str] = []
        skip = skipped.append if world.skip_undecodable else None
        photographs = cards.read_cards(
            path, height=world.height, width=world.width, skip=skip, show=show
        )
        for told in skipped:
            print(f"left out: {told}")
        parts = cards.split_sessions(photographs, world.test_share, world.seed)
        return Pictures(*(labelled(part.images, part.factors) for part in parts))

    return captioned_domain(
        lvm.make_language(cards.FACTORS, cards.PHRASINGS),
        take_known("evaluation.probes", config.evaluation.probes, LABEL_JUDGES),
        world.may_equal_truth,
        (world.height, world.width, 3),
        load,
    )
