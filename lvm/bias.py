"""Bias: which semantics the text selects, and which of those it may distort."""

from collections.abc import Iterable
from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool

Mask = Bool[Array | np.ndarray, " n"]
FIRST_NUMBERS = {"paper": (1, 1), "reference": (0, -1)}  # variant -> first θ, ρ of the empty set


class Bias(NamedTuple):
    """Two masks over the semantics; `True` means *takes part* (paper section 3).

    selected:    bool [n], the subset I_θ that the text speaks of; never empty.
    perturbable: bool [n], the subset I_ρ of I_θ that the text may distort; a proper subset.
    """

    selected: Mask
    perturbable: Mask


def unbiased(bias: Bias) -> Mask:
    """The set I = I_θ minus I_ρ that theory says is kept: bool [n]."""
    return bias.selected & ~bias.perturbable


def bias_from_indices(n: int, selected: Iterable[int], perturbable: Iterable[int] = ()) -> Bias:
    """A bias from the paper's index sets I_θ and I_ρ, which count from 1 to n.

    Raises ValueError for an index outside 1..n, an empty selection, a perturbable index that is
    not selected, and for perturbing all that is selected (nothing would be left to keep).
    """
    bias = Bias(_mask(n, selected, "selected"), _mask(n, perturbable, "perturbable"))
    stray = np.flatnonzero(bias.perturbable & ~bias.selected) + 1
    if not bias.selected.any():
        raise ValueError(f"selected is empty: select at least one of 1..{n}")
    if stray.size:
        chosen = (np.flatnonzero(bias.selected) + 1).tolist()
        raise ValueError(f"perturbable {stray.tolist()} is not selected: choose from {chosen}")
    if not unbiased(bias).any():
        raise ValueError(
            "perturbable equals selected: no unbiased semantic is left; leave at least one out"
        )
    return bias


def bias_from_numbers(n: int, theta: int, rho: int | None = None, variant: str = "paper") -> Bias:
    """A bias from the paper's numbers θ and ρ, both counted from 1 (paper tables 2 and 3).

    θ in 1..2^n-1 numbers the non-empty subsets of 1..n in graded lexicographic order (by size,
    then lexicographically); ρ in 1..2^|I_θ|-1 numbers the proper subsets of I_θ in the same order,
    the empty set first, which is the default. Variant "reference" counts as the authors' code does:
    θ from 0, ρ from -1. Raises ValueError outside these ranges.
    """
    from_theta, from_rho = _first_numbers(variant)
    rho = from_rho if rho is None else rho
    last = from_theta + 2**n - 2
    if not from_theta <= theta <= last:
        raise ValueError(f"theta is {theta}: allowed is {from_theta}..{last} for {n} semantics")
    selected = _subset_at(n, theta - from_theta + 1)
    size = len(selected)
    last = from_rho + 2**size - 2
    if not from_rho <= rho <= last:
        raise ValueError(
            f"rho is {rho}: allowed is {from_rho}..{last} for {size} selected semantics"
        )
    perturbable = [selected[i - 1] for i in _subset_at(size, rho - from_rho)]
    return bias_from_indices(n, selected, perturbable)


def numbers_of(bias: Bias, variant: str = "paper") -> tuple[int, int]:
    """The paper's numbers (θ, ρ) of a bias: the inverse of `bias_from_numbers`."""
    from_theta, from_rho = _first_numbers(variant)
    selected = (np.flatnonzero(bias.selected) + 1).tolist()
    within = (np.flatnonzero(bias.perturbable[bias.selected]) + 1).tolist()
    place, place_within = _place_of(len(bias.selected), selected), _place_of(len(selected), within)
    return place - 1 + from_theta, place_within + from_rho


def _first_numbers(variant: str) -> tuple[int, int]:
    if variant not in FIRST_NUMBERS:
        allowed = ", ".join(FIRST_NUMBERS)
        raise ValueError(f"variant is {variant!r}: allowed is one of {allowed}")
    return FIRST_NUMBERS[variant]


def _mask(n: int, indices: Iterable[int], field: str) -> np.ndarray:
    mask = np.zeros(n, bool)
    for index in indices:
        if not 1 <= index <= n:
            raise ValueError(f"{field} holds {index}: allowed is 1..{n}")
        mask[index - 1] = True
    return mask


def _subset_at(n: int, place: int) -> list[int]:
    """The subset of 1..n at a place, from 0 (the empty set), of the graded lexicographic order."""
    size = 0
    while place >= comb(n, size):
        place -= comb(n, size)
        size += 1
    subset: list[int] = []
    for candidate in range(1, n + 1):
        missing = size - len(subset)
        begin_here = comb(n - candidate, missing - 1) if missing else 0
        if place < begin_here:
            subset.append(candidate)
        else:
            place -= begin_here
    return subset


def _place_of(n: int, subset: list[int]) -> int:
    """The place, from 0, of an increasing subset of 1..n: the inverse of `_subset_at`."""
    place = sum(comb(n, size) for size in range(len(subset)))
    previous = 0
    for missing, index in zip(range(len(subset), 0, -1), subset, strict=True):
        place += sum(comb(n - skipped, missing - 1) for skipped in range(previous + 1, index))
        previous = index
    return place
