"""Switch by name: one of several named functions, selected by a traced index."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int


def check_name(name: str, known: Collection[str], field: str) -> str:
    """Returns the name; raises ValueError, with the field, if it is not among the known ones."""
    if name not in known:
        raise ValueError(f"{field} is {name!r}: allowed is one of {', '.join(known)}")
    return name


def switch_by_name(
    table: Mapping[str, Callable[..., Any]],
    compiled: tuple[str, ...],
    index: Int[Array, ""] | int,
    *args: Any,
) -> Any:
    """Returns `function(*args)` for the function at position `index` of `table`.

    `compiled` (static) names the functions that `index` may select; only these are compiled, and
    under `vmap` all of them are computed. Raises ValueError if `index` is a Python integer that
    selects another function.
    """
    if isinstance(index, int) and list(table)[index] not in compiled:
        raise ValueError(f"{list(table)[index]!r} is not among the compiled: {', '.join(compiled)}")
    if len(compiled) == 1:
        return table[compiled[0]](*args)
    positions = jnp.array([list(table).index(name) for name in compiled])
    branches = [partial(table[name], *args) for name in compiled]
    return jax.lax.switch(jnp.argmax(positions == index), branches)
