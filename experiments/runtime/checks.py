"""Checks of the numbers and names in a config."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np
from ml_collections import ConfigDict

from mmcl.recipe import is_integer, is_number

T = TypeVar("T")


def require_least(config: ConfigDict, least: Mapping[str, float]) -> None:
    """Raises ValueError if a dotted field is no integer or below the least value; None passes."""
    require_integers(config, least)
    for field, allowed in least.items():
        value = _field(config, field)
        if value is not None and value < allowed:
            raise ValueError(f"{field} is {value}: allowed is {allowed} or more")


def require_integers(config: ConfigDict, fields: Iterable[str]) -> None:
    """Raises ValueError if one of the dotted fields is not an integer; None passes."""
    for field in fields:
        value = _field(config, field)
        if value is not None and not is_integer(value):
            raise ValueError(f"{field} is {value!r}: allowed is an integer")


def require_positive(config: ConfigDict, fields: Iterable[str]) -> None:
    """Raises ValueError if one of the dotted fields is not a finite number above 0."""
    for field in fields:
        check_positive(field, _field(config, field))


def require_not_negative(config: ConfigDict, fields: Iterable[str]) -> None:
    """Raises ValueError if one of the dotted fields is not a finite number, 0 or more."""
    for field in fields:
        check_not_negative(field, _field(config, field))


def check_positive(field: str, value: Any) -> None:
    """Raises ValueError, with the field, unless a value is a finite number above 0."""
    if not is_number(value) or not 0 < value < np.inf:
        raise ValueError(f"{field} is {value!r}: allowed is a number above 0")


def check_not_negative(field: str, value: Any) -> None:
    """Raises ValueError, with the field, unless a value is a finite number, 0 or more."""
    if not is_number(value) or not 0 <= value < np.inf:
        raise ValueError(f"{field} is {value!r}: allowed is a number, 0 or more")


def require_fraction(config: ConfigDict, fields: Iterable[str]) -> None:
    """Raises ValueError if one of the dotted fields is not between 0 and 1."""
    for field in fields:
        value = _field(config, field)
        if not is_number(value) or not 0 <= value <= 1:
            raise ValueError(f"{field} is {value!r}: allowed is 0 to 1")


def require_known(field: str, names: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Returns the names; raises ValueError if there is none, or one that is not known."""
    for name in names:
        if name not in known:
            raise ValueError(f"{field} holds {name!r}: allowed is {', '.join(known)}")
    if not names:
        raise ValueError(f"{field} is empty: give at least one")
    return tuple(names)


def select_known(field: str, names: Sequence[str], known: Mapping[str, T]) -> dict[str, T]:
    """Returns the entries of `known` with these names; raises ValueError as `require_known`."""
    return {name: known[name] for name in require_known(field, names, known)}


def _field(config: ConfigDict, path: str):
    return reduce(getattr, path.split("."), config)
