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
from mmcl.part_checks import check_alike, part_name

OptimizerFactory = Callable[[optax.Schedule], optax.GradientTransformation]


def make_optimizer(
    name: str | OptimizerFactory, schedule: Schedule, clip_norm: Float[Array, ""] | float
) -> optax.GradientTransformationExtraArgs:
    """Returns gradient clipping followed by the optimiser called `name` in OPTIMIZERS.

    name:      or a function (schedule) -> optax.GradientTransformation, as the entries.
    schedule:  of the learning rate; may be traced.
    clip_norm: float32 [], largest global norm of the gradient; may be traced.

    `update` takes the keyword `step`, int32 [], the number of steps before this one.

    Raises ValueError for an unknown name, for a function that returns something else, and, once
    `update` is traced, for updates or a state of another structure than before.
    """
    if isinstance(name, str) and name not in OPTIMIZERS:
        raise ValueError(f"name is {name!r}: allowed is one of {', '.join(OPTIMIZERS)}")
    rate = lambda step: learning_rate(schedule, step)
    made = OPTIMIZERS[name](rate) if isinstance(name, str) else name(rate)
    return optax.chain(
        optax.clip_by_global_norm(clip_norm), _checked(f"optimizer {part_name(name)!r}", made)
    )


def _checked(label: str, optimizer: optax.GradientTransformation):
    """Returns the optimiser, with checks of its results."""
    if not isinstance(optimizer, optax.GradientTransformation):
        made = type(optimizer).__name__
        raise ValueError(f"{label} makes {made}: allowed is an optax.GradientTransformation")
    inner = optax.with_extra_args_support(optimizer)

    def update(grads, state, params=None, **extra):
        updates, new_state = inner.update(grads, state, params, **extra)
        check_alike(f"update of {label}", updates, grads, "the gradient")
        check_alike(f"state of {label} after a step", new_state, state, "that of init")
        return updates, new_state

    return optax.GradientTransformationExtraArgs(inner.init, update)


def _soap(rate):
    return optax.chain(scale_by_soap(), optax.scale_by_learning_rate(rate))


def _muon(rate):
    matrices = optax.chain(scale_by_muon(), optax.scale_by_learning_rate(rate))
    labels = lambda params: jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", params)
    return optax.partition({"matrix": matrices, "other": optax.nadam(rate)}, labels)


OPTIMIZERS: dict[str, OptimizerFactory] = {
    "soap": _soap,
    "muon": _muon,
    "adam": optax.adam,
}
