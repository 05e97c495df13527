"""Registry: adds a regression probe of a user's own, by name."""

from probes.predictors.registry import PROBES
from probes.predictors.regression import Probe


def register_probe(name: str, probe: Probe) -> None:
    """Adds a probe: (key, features [n, d], targets [n, k], queries [m, d]) -> float32 [m, k].

    It is fitted on features and targets, and predicts the targets of queries. Functions of this
    package also take the probe itself. docs/guide/own_parts.md has an example.

    Raises ValueError for a name that another probe has, and for a probe that cannot be called. The
    same probe may be registered again.
    """
    if not callable(probe):
        raise ValueError(f"probe is {probe!r}: allowed is a function")
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"name of the probe is {name!r}: allowed are letters, digits and _")
    if name in PROBES and PROBES[name] != probe:
        raise ValueError(f"name of the probe is {name!r}: allowed is one that is not taken")
    PROBES[name] = probe
