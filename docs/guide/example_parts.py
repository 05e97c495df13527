"""Example parts: a plugin with one part of each kind; own_parts.md explains them."""

import dataclasses
import json
from contextlib import contextmanager

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax.scipy.stats import norm

from experiments.domains import register_domain
from experiments.domains.latents import LatentsDomain, make_latents
from experiments.loggers import register_logger
from lvm.latents.misalignment import Misaligned
from lvm.latents.semantics import Semantics
from lvm.registry import register_dependence, register_misalignment, register_noise_law
from mmcl.registry import (
    register_encoder,
    register_objective,
    register_optimizer,
    register_output_space,
)
from probes.registry import register_probe


def soft_repulsion(z, temperature, where=None):
    """Objective: the pairs attract, and all rows of a modality repel by a Gaussian kernel."""
    where = jnp.ones(len(z.x), bool) if where is None else where
    both = where[:, None] & where[None]

    def repulsion(rows):
        distances = jnp.sum((rows[:, None] - rows[None]) ** 2, axis=-1)
        kernel = jnp.where(both, jnp.exp(-distances / temperature), 0.0)
        return kernel.sum() / jnp.maximum(both.sum(), 1)

    alignment = jnp.where(where, jnp.sum((z.x - z.t) ** 2, axis=-1), 0.0)
    alignment = alignment.sum() / jnp.maximum(where.sum(), 1)
    return alignment + (repulsion(z.x) + repulsion(z.t)) / 2


class Residual(nn.Module):
    """Hidden layers that add to their inputs, then a linear layer."""

    widths: tuple[int, ...]
    outputs: int

    @nn.compact
    def __call__(self, inputs, train):
        """Returns representations: float32 [n, outputs]."""
        del train  # without batch normalisation there is no difference
        for width in self.widths:
            inputs = inputs + nn.Dense(inputs.shape[1])(nn.gelu(nn.Dense(width)(inputs)))
        return nn.Dense(self.outputs)(inputs)


def residual(recipe, widths):
    """Encoder: a flax module for the recipe, here of vectors."""
    return Residual(widths, recipe.outputs)


def lion(learning_rate):
    """Optimiser: an optax transformation for a schedule, a function (step) -> learning rate."""
    return optax.lion(learning_rate, b1=0.95, b2=0.98)


def ball(outputs, dimensions):
    """Output space: the open unit ball, 0 in the columns that take no part."""
    kept = outputs * dimensions[None]
    return kept / jnp.sqrt(1 + jnp.sum(kept**2, axis=1, keepdims=True))


def neighbours(key, features, targets, queries):
    """Probe: the mean target of the ten nearest rows."""
    del key
    squares = jnp.sum(queries**2, axis=1)[:, None] + jnp.sum(features**2, axis=1)[None]
    _, nearest = jax.lax.top_k(2 * queries @ features.T - squares, 10)
    return targets[nearest].mean(axis=1)


def rounded(scene, rate):
    """Misalignment: captions round each perturbable value with probability `rate`."""
    where = (scene.uniform < rate) & scene.bias.perturbable[None]
    caption = jnp.where(where, jnp.round(scene.s), scene.s)
    return Misaligned(scene.s, caption, missing=jnp.zeros(scene.s.shape, bool))


def chain(key, n):
    """Dependence: each semantic causes the next one."""
    del key
    return Semantics(0.8 * jnp.eye(n, k=-1), scale=jnp.full(n, 0.6), curve=jnp.zeros(()))


def logistic(normal):
    """Noise law: logistic numbers of variance 1, as quantiles of standard normal numbers."""
    return (norm.logcdf(normal) - norm.logcdf(-normal)) * jnp.sqrt(3.0) / jnp.pi


@dataclasses.dataclass(frozen=True, kw_only=True)
class Blurred(LatentsDomain):
    """Worlds of latents whose images are observed with noise."""

    def sample(self, key, count, **given):
        """Samples pairs as `LatentsDomain` does, with noise on images."""
        key_pairs, key_noise = jax.random.split(key)
        pairs = super().sample(key_pairs, count, **given)
        return pairs._replace(x=pairs.x + 0.01 * jax.random.normal(key_noise, pairs.x.shape))


def blurred(config):
    """Domain: the worlds that a config describes."""
    return Blurred(**vars(make_latents(config)))


@contextmanager
def losses(directory):
    """Logger: appends the losses of all lanes to a file of the run directory at each point."""
    with (directory / "losses.jsonl").open("a") as file:
        yield lambda rows: print(json.dumps([row["loss"] for row in rows]), file=file, flush=True)


register_objective("soft_repulsion", soft_repulsion)
register_encoder("residual", residual)
register_optimizer("lion", lion)
register_output_space("ball", ball)
register_probe("neighbours", neighbours)
register_misalignment("rounded", rounded)
register_dependence("chain", chain)
register_noise_law("logistic", logistic)
register_domain("blurred", blurred)
register_logger("losses", losses)
