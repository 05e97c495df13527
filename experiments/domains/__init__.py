"""Domains: the kinds of worlds that a config can choose, by name."""

from collections.abc import Callable
from pathlib import Path

from ml_collections import ConfigDict

from experiments.domains.cards import make_cards
from experiments.domains.domain import Domain
from experiments.domains.latents import make_latents
from experiments.domains.mpi3d import make_mpi3d
from experiments.domains.own_images.labelled import make_labelled
from experiments.domains.scenes import make_causal3dident, make_scenes
from experiments.rundir.checkpoint_files import read_run
from experiments.runtime.plugins import import_plugins, plugin_errors, warn_of_changes
from mmcl.part_checks import check_callable, register

DOMAINS: dict[str, Callable[[ConfigDict], Domain]] = {
    "latents": make_latents,
    "cards": make_cards,
    "mpi3d": make_mpi3d,
    "scenes": make_scenes,
    "causal3dident": make_causal3dident,
    "labelled": make_labelled,
}


def register_domain(name: str, make: Callable[[ConfigDict], Domain]) -> None:
    """Adds a domain: (config) -> Domain, which raises ValueError for fields that are out of range.

    Raises ValueError for a name that another domain has, and for a function that cannot be called.
    The same function may be registered again.
    """
    check_callable("domain", make)
    register("domain", name, make, DOMAINS)


def make_domain(config: ConfigDict) -> Domain:
    """Returns the domain of a config, after importing its plugins.

    No data are read and no device is used. Raises ValueError that names the field, its value and
    what is allowed, and, in one line, for a plugin that is missing or raises an error.
    """
    plugins = config.get("plugins", ())
    import_plugins(plugins)
    name = config.get("domain", "latents")  # the first versions had no other
    if name not in DOMAINS:
        raise ValueError(f"domain is {name!r}: allowed is one of {', '.join(DOMAINS)}")
    with plugin_errors(plugins, unchanged=(ValueError,)):
        domain = DOMAINS[name](config)
    if not isinstance(domain, Domain):
        raise ValueError(f"domain {name!r} makes {type(domain).__name__}: allowed is a Domain")
    return domain


def read_domain(directory: Path) -> Domain:
    """Returns the domain of the run in a directory, and warns of plugins that have changed.

    Raises ValueError if there is no run, and as `make_domain` does.
    """
    run = read_run(directory)
    warn_of_changes(directory, run["plugins"])
    return make_domain(ConfigDict(run["config"]))
