"""Losses and gradients of all objectives by name, compiled once for each shape of the pairs."""

import jax
import jax.numpy as jnp

from mmcl.objectives.registry import OBJECTIVES

N, D = 32, 3
ALTERNATIVES = [name for name in OBJECTIVES if name != "alignment_max_entropy"]
IN_UNITS_OF_TEMPERATURE = [  # objectives of distances in units of √temperature
    "symmetric_infonce",
    "alignment_max_neighbour_entropy",
    "alignment_max_gaussian_entropy",
    "alignment_uniformity",
    "decoupled_infonce",
    "decoupled_infonce_intra_modal",
    "siglip",
    "siglip_learned",
    "vicreg",
    "vicreg_released",
]
COMPILED = {name: jax.jit(jax.value_and_grad(OBJECTIVES[name].function)) for name in ALTERNATIVES}


def value_and_gradient(name, z, where=None, temperature=1.0):
    where = jnp.ones(len(z.x), bool) if where is None else where
    return COMPILED[name](z, jnp.float32(temperature), where=where)


def value(name, z, where=None, temperature=1.0):
    return value_and_gradient(name, z, where, temperature)[0]
