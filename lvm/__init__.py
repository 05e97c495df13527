"""Who makes the data: a causal latent variable model, as pure samplers."""

from lvm.bias import Bias, bias_from_indices, bias_from_numbers, numbers_of, unbiased
from lvm.mixing import init_mixing, mix, unmix
from lvm.pairs import Pairs, Shift, sample_pairs
from lvm.semantics import (
    DEPENDENCES,
    Semantics,
    covariance,
    draw_semantics,
    gaussian_semantics,
    sample_semantics,
    solve_semantics,
)
from lvm.shift import heavy_tails
from lvm.theory import attainable_r2
from lvm.world import World, WorldSpec, init_world

__all__ = [
    "DEPENDENCES",
    "Bias",
    "Pairs",
    "Semantics",
    "Shift",
    "World",
    "WorldSpec",
    "attainable_r2",
    "bias_from_indices",
    "bias_from_numbers",
    "covariance",
    "draw_semantics",
    "gaussian_semantics",
    "heavy_tails",
    "init_mixing",
    "init_world",
    "mix",
    "numbers_of",
    "sample_pairs",
    "sample_semantics",
    "solve_semantics",
    "unbiased",
    "unmix",
]
