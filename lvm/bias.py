"""Bias: which semantics the text selects, and which of those it may distort."""

from collections.abc import Iterable
from math import comb
from numbers import Integral
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool

from lvm.checks import check_mask, check_shape

Mask = Bool[Array | np.ndarray, " n"]
FIRST_NUMBERS = {"paper": (1, 1), "reference": (0, -1)}  # variant -> first θ, ρ of the empty set


class Bias(NamedTuple):
    """Two masks over the semantics; `True` means *takes part* (paper section 3).

    selected:    bool [n], the subset I_θ that the text mentions; never empty.
    perturbable: bool [n], the subset I_ρ of I_θ that the text may distort; a proper subset.
    """

    selected: Mask
    perturbable: Mask


def unbiased(bias: Bias) -> Mask:
    """Returns the mask of I = I_θ minus I_ρ, which is kept according to theory: bool [n].

    Raises ValueError unless both masks are bool of one length.
    """
    check_shape("selected", bias.selected, ("n",))
    n = len(bias.selected)
    check_mask("selected", bias.selected, n)
    check_mask("perturbable", bias.perturbable, n, ", as selected")
    return bias.selected & ~bias.perturbable


def bias_from_indices(n: int, selected: Iterable[int], perturbable: Iterable[int] = ()) -> Bias:
    """Returns the bias of the paper's index sets I_θ and I_ρ, which count from 1 to n.

    Raises ValueError for an index outside 1..n, an empty selection, a perturbable index that is
    not selected, and if all selected indices are perturbable (no semantic would be unbiased).
    """
    bias = Bias(_mask(n, selected, "selected"), _mask(n, perturbable, "perturbable"))
    unselected = np.flatnonzero(bias.perturbable & ~bias.selected) + 1
    if not bias.selected.any():
        raise ValueError(f"selected is empty: select at least one of 1..{n}")
    if unselected.size:
        allowed = (np.flatnonzero(bias.selected) + 1).tolist()
        raise ValueError(
            f"perturbable {unselected.tolist()} is not selected: choose from {allowed}"
        )
    if not unbiased(bias).any():
        raise ValueError(
            "perturbable equals selected: allowed is a proper subset, so that at least one "
            "semantic is unbiased"
        )
    return bias


def bias_from_numbers(n: int, theta: int, rho: int | None = None, variant: str = "paper") -> Bias:
    """Returns the bias of the paper's numbers θ and ρ, which count from 1 (paper tables 2 and 3).

    θ in 1..2^n-1 numbers the non-empty subsets of 1..n in graded lexicographic order (by size,
    then lexicographically); ρ in 1..2^|I_θ|-1 numbers the proper subsets of I_θ in the same order,
    the empty set first, which is the default. Variant "reference" counts as the authors' code:
    θ from 0, ρ from -1. Raises ValueError outside these ranges and for an unknown variant.
    """
    first_theta, first_rho = _first_numbers(variant)
    for field, value in (("theta", theta), ("rho", rho)):
        if not isinstance(value, Integral | None):
            raise ValueError(f"{field} is {value!r}: allowed is an integer")
    rho = first_rho if rho is None else rho
    last = first_theta + 2**n - 2
    if not first_theta <= theta <= last:
        raise ValueError(f"theta is {theta}: allowed is {first_theta}..{last} for {n} semantics")
    selected = _subset_at(n, theta - first_theta + 1)
    size = len(selected)
    last = first_rho + 2**size - 2
    if not first_rho <= rho <= last:
        raise ValueError(
            f"rho is {rho}: allowed is {first_rho}..{last} for {size} selected semantics"
        )
    perturbable = [selected[i - 1] for i in _subset_at(size, rho - first_rho)]
    return bias_from_indices(n, selected, perturbable)


def numbers_of(bias: Bias, variant: str = "paper") -> tuple[int, int]:
    """Returns the paper's numbers (θ, ρ) of a bias: the inverse of `bias_from_numbers`.

    Raises ValueError for an unknown variant and for masks that `bias_from_indices` does not return.
    """
    first_theta, first_rho = _first_numbers(variant)
    if not unbiased(bias).any() or (bias.perturbable & ~bias.selected).any():
        raise ValueError(
            "bias has no unbiased semantic, or a perturbable one that is not selected: allowed is "
            "a bias, as `bias_from_indices` returns it"
        )
    selected = (np.flatnonzero(bias.selected) + 1).tolist()
    perturbable = (np.flatnonzero(bias.perturbable[bias.selected]) + 1).tolist()
    theta = _rank_of(len(bias.selected), selected) - 1 + first_theta
    return theta, _rank_of(len(selected), perturbable) + first_rho


def _first_numbers(variant: str) -> tuple[int, int]:
    if variant not in FIRST_NUMBERS:
        allowed = ", ".join(FIRST_NUMBERS)
        raise ValueError(f"variant is {variant!r}: allowed is one of {allowed}")
    return FIRST_NUMBERS[variant]


def _mask(n: int, indices: Iterable[int], field: str) -> np.ndarray:
    mask = np.zeros(n, bool)
    for index in indices:
        if not isinstance(index, Integral) or not 1 <= index <= n:
            raise ValueError(f"{field} holds {index}: allowed is 1..{n}")
        mask[index - 1] = True
    return mask


def _subset_at(n: int, rank: int) -> list[int]:
    """Returns the subset of 1..n with a rank in graded lexicographic order; rank 0 is empty."""
    size = 0
    while rank >= comb(n, size):
        rank -= comb(n, size)
        size += 1
    subset: list[int] = []
    for candidate in range(1, n + 1):
        missing = size - len(subset)
        subsets_with_candidate = comb(n - candidate, missing - 1) if missing else 0
        if rank < subsets_with_candidate:
            subset.append(candidate)
        else:
            rank -= subsets_with_candidate
    return subset


def _rank_of(n: int, subset: list[int]) -> int:
    """Returns the rank, from 0, of an increasing subset of 1..n: the inverse of `_subset_at`."""
    rank = sum(comb(n, size) for size in range(len(subset)))
    previous = 0
    for missing, index in zip(range(len(subset), 0, -1), subset, strict=True):
        rank += sum(comb(n - skipped, missing - 1) for skipped in range(previous + 1, index))
        previous = index
    return rank
