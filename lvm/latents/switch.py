"""Ways: one of several named functions, taken by a traced place in their table."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int


def take_way(
    table: dict[str, Callable[..., Any]],
    names: tuple[str, ...],
    place: Int[Array, ""] | int,
    *given: Any,
) -> Any:
    """table's function number `place`, applied to what is given; of those in `names` alone.

    `names` is static, and only these are compiled: under vmap all of them are computed.
    Raises ValueError for a place that is not traced and not among them.
    """
    if isinstance(place, int) and list(table)[place] not in names:
        raise ValueError(f"{list(table)[place]!r} is not among those compiled: {', '.join(names)}")
    if len(names) == 1:
        return table[names[0]](*given)
    places = jnp.array([list(table).index(name) for name in names])
    ways = [partial(table[name], *given) for name in names]
    return jax.lax.switch(jnp.argmax(places == place), ways)
