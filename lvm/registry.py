"""Registry: adds misalignments, dependences and noise laws of a user's own, by name.

`sample_pairs` and `init_world` take the name of a registered part, or the part itself.
docs/guide/own_parts.md has an example of each.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from lvm.latents.misalignment import (
    CHANGES_SCENE,
    MISALIGNMENTS,
    WHOLE_CAPTION,
    WITH_INDICATOR,
    CheckedMisalignment,
    Misalignment,
)
from lvm.latents.noise_laws import NOISE_LAWS, CheckedNoise, Noise
from lvm.latents.semantics import DEPENDENCES, Draw


def register_misalignment(
    name: str,
    function: Misalignment,
    *,
    indicator: bool = False,
    whole_caption: bool = False,
    changes_scene: bool = False,
) -> None:
    """Adds a misalignment: (scene, rate) -> Misaligned, as those in `lvm.latents.misalignment`.

    indicator:     whether texts have columns with the missing indicator.
    whole_caption: whether it replaces whole captions, so that no semantic is perturbable.
    changes_scene: whether it changes the true semantics s, which images show.

    All register functions raise ValueError for a name that another part has, and for a part that
    cannot be called. The same part may be registered again.
    """
    _check_callable("misalignment", function)
    entry = CheckedMisalignment(name, function, indicator, whole_caption, changes_scene)
    _register("misalignment", name, entry, MISALIGNMENTS)
    for kinds, holds in zip((WITH_INDICATOR, WHOLE_CAPTION, CHANGES_SCENE), entry[2:], strict=True):
        if holds:
            kinds.add(name)


def register_dependence(name: str, draw: Draw) -> None:
    """Adds a dependence: (key, number of semantics) -> Semantics, the law of the semantics."""
    _check_callable("dependence", draw)
    _register("dependence", name, draw, DEPENDENCES)


def register_noise_law(name: str, quantiles: Callable[[Noise], Noise]) -> None:
    """Adds a noise law: from standard normal numbers to numbers of mean 0 and variance 1.

    quantiles: float32 [count, n] -> float32 [count, n], elementwise.
    """
    _check_callable("noise law", quantiles)
    _register("noise law", name, CheckedNoise(name, quantiles), NOISE_LAWS)


def _register(field: str, name: str, entry: Any, table: MutableMapping[str, Any]) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"name of the {field} is {name!r}: allowed are letters, digits and _")
    if name in table and table[name] != entry:
        raise ValueError(f"name of the {field} is {name!r}: allowed is one that is not taken")
    table[name] = entry


def _check_callable(field: str, part: Any) -> None:
    if not callable(part):
        raise ValueError(f"{field} is {part!r}: allowed is a function")
