"""Switch by name: one of several named functions, selected by a traced index."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from lvm.checks import check_integers, check_shape, is_traced, known_value


def check_name(name: str, known: Collection[str], field: str) -> str:
    """Returns the name; raises ValueError, with the field, if it is not among the known ones."""
    if name not in known:
        raise ValueError(f"{field} is {name!r}: allowed is one of {', '.join(known)}")
    return name


def check_index(index: Any, known: Collection[str], field: str) -> None:
    """Raises ValueError unless `index` is one integer, of a position in `known` if it has a value.

    The error names the field.
    """
    check_shape(field, index, (), ", one integer")
    check_integers(field, index, len(known))


def switch_by_name(
    table: Mapping[str, Callable[..., Any]],
    compiled: tuple[str, ...],
    index: Int[Array, ""] | int,
    *args: Any,
) -> Any:
    """Returns `function(*args)` for the function at position `index` of `table`.

    `compiled` (static) names the functions that `index` may select; only these are compiled, and
    under `vmap` all of them are computed. Raises ValueError if the value of `index` is known and
    selects another function.
    """
    check_index(index, table, "index")
    if (known := known_value(index)) is not None and list(table)[known] not in compiled:
        name = list(table)[known]
        raise ValueError(f"{name!r} is not among the compiled: {', '.join(compiled)}")
    if len(compiled) == 1:
        return table[compiled[0]](*args)
    positions = jnp.array([list(table).index(name) for name in compiled])
    functions = tuple(table[name] for name in compiled)
    # In a trace, functions in `args` may close over tracers, which must not enter a cache.
    switch = _switch if is_traced(index, args) else _compiled_switch
    return switch(functions, jnp.argmax(positions == index), args)


def _switch(functions, position, args):
    return jax.lax.switch(position, [partial(function, *args) for function in functions])


_compiled_switch = jax.jit(_switch, static_argnums=0)
