"""Only: the lanes that `config.only` chooses, by the name of their setting or by their columns."""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from experiments.rundir.lane_identity import Lane

COLUMNS = {field.name: field.type for field in dataclasses.fields(Lane)}
NEXT_CONDITION = re.compile(r",(?=\s*\w+\s*=)")  # values contain commas: "setting=select {2, 5}"


def choose_lanes(lanes: Sequence[Lane], only: Sequence[str]) -> tuple[Lane, ...]:
    """Returns the lanes that one entry at least chooses; all lanes if there is no entry.

    An entry is the name of a setting, or conditions such as "dependence=independent,steps=6000",
    of which a lane meets all; a name may be the first of them.

    Raises ValueError for a name, a column or a value that no lane has, and for conditions that no
    lane meets together.
    """
    if not only:
        return tuple(lanes)
    chosen = {lane for entry in only for lane in _entry_lanes(lanes, entry)}
    return tuple(lane for lane in lanes if lane in chosen)


def check_names(field: str, names: Iterable[str], known: set[str]) -> None:
    """Raises ValueError, with the nearest name, for one that is not known."""
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, 1, 0)[0]
            raise ValueError(
                f"{field} holds {name!r}: allowed are settings; nearest is {nearest!r}"
            )


def _entry_lanes(lanes: Sequence[Lane], entry: str) -> list[Lane]:
    names = {lane.setting for lane in lanes}
    if "=" not in entry or entry in names:
        check_names("only", [entry], names)
        return [lane for lane in lanes if lane.setting == entry]
    chosen = list(lanes)
    for condition in NEXT_CONDITION.split(entry):
        column, value = _parse(condition, lanes)
        chosen = [lane for lane in chosen if getattr(lane, column) == value]
    if not chosen:
        raise ValueError(f"only holds {entry!r}: no lane meets all of these conditions")
    return chosen


def _parse(condition: str, lanes: Sequence[Lane]) -> tuple[str, Any]:
    """Column and value of a condition; raises ValueError for one that no lane has."""
    condition = condition if "=" in condition else f"setting={condition}"
    column, _, text = (part.strip() for part in condition.partition("="))
    if column not in COLUMNS:
        raise ValueError(f"only holds {condition!r}: allowed columns are {', '.join(COLUMNS)}")
    known = list(dict.fromkeys(getattr(lane, column) for lane in lanes))
    for value in known:
        if _is_value(text, value):
            return column, value
    allowed = ", ".join(str(value) or "none" for value in known)
    raise ValueError(f"only holds {condition!r}: allowed is {column} {allowed}")


def _is_value(text: str, value: str | float) -> bool:
    """Whether a text is a value of a column; no semantics are "none", as in files, or empty."""
    if isinstance(value, str):
        return text == value or (not value and text == "none")
    try:
        return float(text) == value
    except ValueError:
        return False
