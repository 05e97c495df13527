"""Parts: everything that is measured, each part as ladders of cases from small to large."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

import lvm
import mmcl
import probes
from experiments.benchmark.measurement.cases import Case, Ladder, prepare_function
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.steps import CYCLE, growth, step
from mmcl.optimizers.registry import OPTIMIZERS, make_optimizer

LATENTS = 10
CLASSES = 6


def objective(sizes: Sizes) -> list[Ladder]:
    """Returns ladders of alignment_max_entropy against batch, in blocks ("ours") and dense."""
    functions = {"ours": mmcl.alignment_max_entropy, "dense": dense_objective}

    def case(name, with_gradient, batch):
        value = lambda z: functions[name](z, 1.0)
        function = jax.value_and_grad(value) if with_gradient else value
        variant = f"{name}, {'with gradient' if with_gradient else 'forward'}"
        draw = lambda: (mmcl.Modalities(*normal(2, batch, LATENTS)),)
        return Case(variant, batch, 1, partial(prepare_function, function, draw))

    batches = sizes.objective_batches
    dense_batches = [batch for batch in batches if batch <= sizes.max_dense_batch]
    return [
        [case(name, gradient, batch) for batch in (batches if name == "ours" else dense_batches)]
        for name in functions
        for gradient in (False, True)
    ]


def dense_objective(z: mmcl.Modalities, temperature: float):
    """`mmcl.alignment_max_entropy` from a dense matrix of distances: float32 []."""
    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    diagonal = jnp.eye(len(z.x), dtype=bool)

    def negative_entropy(rows):
        rows = rows - jax.lax.stop_gradient(rows.mean(0))[None]
        norms = jnp.sum(rows**2, -1)
        products = jnp.matmul(rows, rows.T, precision="float32")
        logits = (2 * products - norms[:, None] - norms[None]) / temperature
        logits = jnp.where(diagonal, -alignment[:, None] / temperature, logits)
        return jax.nn.logsumexp(logits, 1) - jnp.log(len(rows))

    return jnp.mean(alignment + (negative_entropy(z.x) + negative_entropy(z.t)) / 2)


def optimizer(sizes: Sizes) -> list[Ladder]:
    """Returns ladders of an update of three square layers and their biases, against width."""

    def case(name, width):
        schedule = mmcl.Schedule(*map(jnp.float32, (1e-3, 0, jnp.inf)))
        transformation = make_optimizer(name, schedule, jnp.float32(2.0))

        @jax.default_matmul_precision("float32")  # as in training
        def updates(params, state):
            def update(carry, done):
                moved, state = carry
                gradients = params  # of the right shapes; their values do not affect the time
                changes, state = transformation.update(gradients, state, moved, step=done)
                return (jax.tree.map(jnp.add, moved, changes), state), None

            return jax.lax.scan(update, (params, state), CYCLE + jnp.arange(CYCLE))[0]

        def draw():
            weights = normal(3, width, width)
            params = {f"layer{k}": {"w": w, "b": w[0]} for k, w in enumerate(weights)}
            return params, transformation.init(params)

        prepare = partial(prepare_function, updates, draw, units=CYCLE, sequential=True)
        return Case(name, width, 1, prepare)

    return [[case(name, width) for width in sizes.optimizer_widths] for name in OPTIMIZERS]


def sampler(sizes: Sizes) -> list[Ladder]:
    """Returns a ladder of sampled batches; two of the dependent semantics are distorted."""
    bias = lvm.bias_from_indices(LATENTS, range(1, 9), [1, 2])

    def case(count):
        sample = lambda key, world: lvm.sample_pairs(key, world, bias, count)

        def draw():
            key_world, key_pairs = jax.random.split(jax.random.key(0))
            return key_pairs, lvm.init_world(key_world, dependence="dependent")

        return Case("pairs", count, 1, partial(prepare_function, sample, draw))

    return [[case(count) for count in sizes.sampler_pairs]]


def probe(sizes: Sizes) -> list[Ladder]:
    """Returns ladders of a fit and prediction by each probe, of 20 latents or of 6 classes."""
    key = jax.random.key(0)

    def regression(name, rows):
        fit = partial(probes.PROBES[name], key)
        draw = lambda: (normal(rows, LATENTS), normal(rows, 20), normal(rows, LATENTS))
        return Case(f"{name} regression", rows, 1, partial(prepare_function, fit, draw))

    def classification(name, rows):
        fit = partial(probes.CLASSIFIERS[name], key, classes=CLASSES)
        labels = lambda: jax.random.randint(key, (rows,), 0, CLASSES)
        draw = lambda: (normal(rows, LATENTS), labels(), normal(rows, LATENTS))
        return Case(f"{name} classification", rows, 1, partial(prepare_function, fit, draw))

    return [
        *([regression(name, sizes.probe_rows)] for name in probes.PROBES),
        *([classification(name, sizes.probe_rows)] for name in probes.CLASSIFIERS),
    ]


def renderer(sizes: Sizes) -> list[Ladder]:
    """Returns a ladder of rendered scenes against pixels per side; a unit is an image."""

    def case(resolution):
        render = jax.vmap(partial(lvm.render, resolution=resolution))
        draw = lambda: (lvm.sample_scenes(jax.random.key(0), sizes.images),)
        prepare = partial(prepare_function, render, draw, units=sizes.images)
        return Case(f"a picture of {sizes.images}", resolution, 1, prepare)

    return [[case(resolution) for resolution in sizes.resolutions]]


def normal(*shape: int) -> jax.Array:
    """Returns standard normal numbers from a fixed key, float32 of a shape."""
    return jax.random.normal(jax.random.key(0), shape)


PARTS: dict[str, Callable[[Sizes], list[Ladder]]] = {
    "objective": objective,
    "step": step,
    "growth": growth,
    "optimizer": optimizer,
    "sampler": sampler,
    "probe": probe,
    "renderer": renderer,
}
