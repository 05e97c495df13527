"""Registry of optimisers, by the names that a recipe can give them.

An entry is a function (schedule) -> optax.GradientTransformation, where the schedule is a function
(step) -> learning rate.
"""

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
    """Returns gradient clipping followed by the optimiser called `name` in OPTIMIZERS.

    schedule:  of the learning rate; may be traced.
    clip_norm: float32 [], largest global norm of the gradient; may be traced.

    `update` takes the keyword `step`, int32 [], the number of steps before this one.

    Raises ValueError for an unknown name.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"name is {name!r}: allowed is one of {', '.join(OPTIMIZERS)}")
    rate = lambda step: learning_rate(schedule, step)
    return optax.chain(optax.clip_by_global_norm(clip_norm), OPTIMIZERS[name](rate))


def _soap(rate):
    return optax.chain(scale_by_soap(), optax.scale_by_learning_rate(rate))


def _muon(rate):
    matrices = optax.chain(scale_by_muon(), optax.scale_by_learning_rate(rate))
    labels = lambda params: jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", params)
    return optax.partition({"matrix": matrices, "other": optax.nadam(rate)}, labels)


OPTIMIZERS: dict[str, Callable[[optax.Schedule], optax.GradientTransformation]] = {
    "soap": _soap,
    "muon": _muon,
    "adam": optax.adam,
}
