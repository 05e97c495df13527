"""Parts: what is measured, each part as ladders of cases from small to large."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

import lvm
import mmcl
import probes
from experiments.benchmark.measurement.cases import Case, Ladder, on_one_device
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.steps import CYCLE, growth, step
from mmcl.optimizers.registry import OPTIMIZERS, make_optimizer

LATENTS = 10
CLASSES = 6


def objective(sizes: Sizes) -> list[Ladder]:
    """Maximum entropy: ours, which goes over to blocks, and as dense products alone."""
    ways = {"ours": mmcl.alignment_max_entropy, "dense": dense_objective}

    def case(way, gradient, batch):
        value = lambda z: ways[way](z, 1.0)
        function = jax.value_and_grad(value) if gradient else value
        variant = f"{way}, {'with gradient' if gradient else 'forward'}"
        draw = lambda: (mmcl.Modalities(*normal(2, batch, LATENTS)),)
        return Case(variant, batch, 1, partial(on_one_device, function, draw))

    return [
        [case(way, gradient, n) for n in sizes.batches if way == "ours" or n <= sizes.dense]
        for way in ways
        for gradient in (False, True)
    ]


def dense_objective(z: mmcl.Modalities, temperature: float):
    """The same number from all distances at once, with the gradient that JAX makes of it."""
    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    itself = jnp.eye(len(z.x), dtype=bool)

    def negative_entropy(rows):
        rows = rows - jax.lax.stop_gradient(rows.mean(0))[None]
        norms = jnp.sum(rows**2, -1)
        products = jnp.matmul(rows, rows.T, precision="float32")
        logits = (2 * products - norms[:, None] - norms[None]) / temperature
        logits = jnp.where(itself, -alignment[:, None] / temperature, logits)
        return jax.nn.logsumexp(logits, 1) - jnp.log(len(rows))

    return jnp.mean(alignment + (negative_entropy(z.x) + negative_entropy(z.t)) / 2)


def optimizer(sizes: Sizes) -> list[Ladder]:
    """An update of three square layers and their biases, by every optimiser against width."""

    def case(name, width):
        schedule = mmcl.Schedule(*map(jnp.float32, (1e-3, 0, jnp.inf)))
        rule = make_optimizer(name, schedule, jnp.float32(2.0))

        @jax.default_matmul_precision("float32")  # as in training
        def updates(params, state):
            def update(carry, done):
                moves, state = rule.update(params, carry[1], carry[0], step=done)
                moved = jax.tree.map(jnp.add, carry[0], moves)
                return (moved, state), None

            return jax.lax.scan(update, (params, state), CYCLE + jnp.arange(CYCLE))[0]

        def draw():
            weights = normal(3, width, width)
            params = {f"layer{k}": {"w": w, "b": w[0]} for k, w in enumerate(weights)}
            return params, rule.init(params)

        return Case(name, width, 1, partial(on_one_device, updates, draw, CYCLE, True))

    return [[case(name, width) for width in sizes.updates] for name in OPTIMIZERS]


def sampler(sizes: Sizes) -> list[Ladder]:
    """Drawing pairs of dependent semantics, two of which are distorted."""
    bias = lvm.bias_from_indices(LATENTS, range(1, 9), [1, 2])

    def case(count):
        draw = lambda key, world: lvm.sample_pairs(key, world, bias, 0.75, count)

        def make():
            key_world, key_pairs = jax.random.split(jax.random.key(0))
            dependent = jnp.int32(lvm.DEPENDENCES.index("dependent"))
            return key_pairs, lvm.init_world(key_world, lvm.WorldSpec(), dependent)

        return Case("pairs", count, 1, partial(on_one_device, draw, make))

    return [[case(count) for count in sizes.draws]]


def probe(sizes: Sizes) -> list[Ladder]:
    """Fitting every probe and predicting as many rows: twenty latents, or one of six classes."""
    key = jax.random.key(0)

    def regression(name, rows):
        fit = partial(probes.PROBES[name], key)
        draw = lambda: (normal(rows, LATENTS), normal(rows, 20), normal(rows, LATENTS))
        return Case(f"{name} regression", rows, 1, partial(on_one_device, fit, draw))

    def classification(name, rows):
        fit = lambda x, labels, queries: probes.CLASSIFIERS[name](key, x, labels, queries, CLASSES)
        labels = lambda: jax.random.randint(key, (rows,), 0, CLASSES)
        draw = lambda: (normal(rows, LATENTS), labels(), normal(rows, LATENTS))
        return Case(f"{name} classification", rows, 1, partial(on_one_device, fit, draw))

    return [
        *([regression(name, sizes.rows)] for name in probes.PROBES),
        *([classification(name, sizes.rows)] for name in probes.CLASSIFIERS),
    ]


def renderer(sizes: Sizes) -> list[Ladder]:
    """Rendering scenes, milliseconds a picture, against pixels a side."""

    def case(resolution):
        render = jax.vmap(partial(lvm.render, resolution=resolution))
        draw = lambda: (lvm.sample_scenes(jax.random.key(0), sizes.pictures),)
        make = partial(on_one_device, render, draw, sizes.pictures)
        return Case(f"a picture of {sizes.pictures}", resolution, 1, make)

    return [[case(resolution) for resolution in sizes.resolutions]]


def normal(*shape: int) -> jax.Array:
    """Standard normal numbers: float32 of a shape."""
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
