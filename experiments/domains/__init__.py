"""Domains: the kinds of worlds that a config can choose, by name."""

from ml_collections import ConfigDict

from experiments.domains.cards import make_cards
from experiments.domains.domain import Domain
from experiments.domains.labelled import make_labelled
from experiments.domains.latents import make_latents
from experiments.domains.mpi3d import make_mpi3d
from experiments.domains.scenes import make_causal3dident, make_scenes

DOMAINS = {
    "latents": make_latents,
    "cards": make_cards,
    "mpi3d": make_mpi3d,
    "scenes": make_scenes,
    "causal3dident": make_causal3dident,
    "labelled": make_labelled,
}


def make_domain(config: ConfigDict) -> Domain:
    """Returns the domain of a config; no data are read and no device is used.

    Raises ValueError that names the field, its value and what is allowed.
    """
    name = config.get("domain", "latents")  # the first versions had no other
    if name not in DOMAINS:
        raise ValueError(f"domain is {name!r}: allowed is one of {', '.join(DOMAINS)}")
    return DOMAINS[name](config)
