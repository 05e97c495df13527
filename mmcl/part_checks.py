"""Part checks: errors for parts of a user's own that return something else than they should.

They read shapes and dtypes when a part is traced, so they add nothing to a compiled program. All
errors are ValueErrors that name the part.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

import jax
import jax.numpy as jnp


def register(field: str, name: str, entry: Any, *tables: MutableMapping[str, Any]) -> None:
    """Adds an entry to tables; the same entry may be added again.

    Raises ValueError for a name that is no identifier, or that has another entry.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"name of the {field} is {name!r}: allowed are letters, digits and _")
    if any(name in table and table[name] != entry for table in tables):
        raise ValueError(f"name of the {field} is {name!r}: allowed is one that is not taken")
    for table in tables:
        table[name] = entry


def check_callable(label: str, part: Any, allowed: str = "a function") -> None:
    """Raises ValueError unless a part can be called, and hashed as a static argument."""
    if not callable(part):
        raise ValueError(f"{label} is {part!r}: allowed is {allowed}")
    try:
        hash(part)
    except TypeError:
        raise ValueError(f"{label} is {part!r}: allowed is {allowed} that can be hashed") from None


def part_name(part: str | Callable[..., Any]) -> str:
    """Returns the name of a part, or that of its function."""
    return part if isinstance(part, str) else getattr(part, "__name__", repr(part))


def check_array(label: str, result: Any, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless the result of a part is an array of floats of this shape."""
    is_array = hasattr(result, "dtype") and hasattr(result, "shape")
    is_float = is_array and jnp.issubdtype(result.dtype, jnp.floating)
    if not is_float or result.shape != shape:
        raise ValueError(f"{label} returns {_described(result)}: allowed is float32 {list(shape)}")


def check_alike(label: str, result: Any, like: Any, allowed: str) -> None:
    """Raises ValueError unless a pytree has the structure, shapes and dtypes of another one."""
    if jax.tree.structure(result) != jax.tree.structure(like):
        raise ValueError(f"{label} has another structure: allowed is that of {allowed}")
    leaves = zip(jax.tree.leaves(result), jax.tree.leaves(like), strict=True)
    for found, expected in leaves:
        if _described(found) != _described(expected):
            raise ValueError(
                f"{label} has a leaf {_described(found)}: allowed is {_described(expected)}, as in "
                f"{allowed}"
            )


def _described(value: Any) -> str:
    if isinstance(value, jax.Array | jax.ShapeDtypeStruct):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__
