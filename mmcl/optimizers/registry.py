"""Optimisers: gradient clipping, then SOAP, Muon or Adam, under a schedule of traced numbers."""

from collections.abc import Callable

import jax
import optax
from jaxtyping import Array, Float

from mmcl.optimizers.muon import scale_by_muon
from mmcl.optimizers.schedule import Schedule, learning_rate
from mmcl.optimizers.soap import scale_by_soap


def make_optimizer(
    name: str, schedule: Schedule, clip_norm: Float[Array, ""] | float
) -> optax.GradientTransformationExtraArgs:
    """The optimiser called `name` in OPTIMIZERS, behind clipping by the global gradient norm.

    Its `update` takes the keyword `step`, int32 [], the steps done so far.
    """
    rate = lambda step: learning_rate(schedule, step)
    return optax.chain(optax.clip_by_global_norm(clip_norm), OPTIMIZERS[name](rate))


def _soap(rate):
    return optax.chain(scale_by_soap(), optax.scale_by_learning_rate(rate))


def _muon(rate):
    matrices = optax.chain(scale_by_muon(), optax.scale_by_learning_rate(rate))
    kinds = lambda params: jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", params)
    return optax.partition({"matrix": matrices, "other": optax.nadam(rate)}, kinds)


OPTIMIZERS: dict[str, Callable[[optax.Schedule], optax.GradientTransformation]] = {
    "soap": _soap,
    "muon": _muon,
    "adam": optax.adam,
}
