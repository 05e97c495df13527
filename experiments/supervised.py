"""Reading: what a network reads from the images if it is told the truth; what they show at all.

python -m experiments.supervised --config=experiments/configs/scenes_small.py
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import app, flags, logging
from jaxtyping import Array, Float, Key
from rich.console import Console
from rich.table import Table

import mmcl
import probes
from experiments.domains.captioned import Labelled, Pictures
from experiments.domains.domain import Words
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import keep_compiled
from experiments.runtime.progress import progress
from experiments.sweep.plan import Plan, make_plan
from mmcl.optimizers.registry import make_optimizer

PART = 512  # images that are read at once


class Reading(NamedTuple):
    """How well a target is read: metric "matthews" or "r2", value on test images."""

    target: str
    metric: str
    value: float


class Reader(NamedTuple):
    """The network, with a column a class and a value, and how to train it.

    places: of those of the factors that are labels.
    """

    encoder: mmcl.Encoder
    optimizer: optax.GradientTransformationExtraArgs
    batch: int
    words: Words
    places: tuple[int, ...]


def read_images(
    plan: Plan, pictures: Pictures, key: Key[Array, ""], show: Callable[[str, float, str], None]
) -> list[Reading]:
    """Trains the recipe's image encoder on the truth and reads the test images, seed by key.

    Cross-entropies of labels and mean squared errors of standardised values, summed; as many steps
    as the recipe has. Raises ValueError for a plan without images.
    """
    if plan.domain.words is None:
        raise ValueError("domain is one without images: there is nothing to read")
    key_init, key_train = jax.random.split(key)
    mean, std = pictures.train.values.mean(0)[None], pictures.train.values.std(0)[None]
    train, test = (part._replace(values=(part.values - mean) / std) for part in pictures)
    reader = _make_reader(plan)
    params, stats = reader.encoder.init(key_init, jnp.asarray(train.images[: reader.batch]))
    state = params, stats, reader.optimizer.init(params)
    data = jax.tree.map(jnp.asarray, train)
    advance = jax.jit(partial(_advance, reader), static_argnums=4)
    for done in range(0, plan.steps, plan.log_every):
        steps = min(plan.log_every, plan.steps - done)
        state, loss = advance(key_train, data, state, done, steps)
        show("training", (done + steps) / plan.steps, f"step {done + steps}, loss {loss:.3f}")
    apply = jax.jit(reader.encoder.apply)
    parts = np.array_split(test.images, max(1, len(test.images) // PART))
    outputs = jnp.concatenate([apply(*state[:2], part) for part in parts])
    return list(_readings(reader, outputs, jax.tree.map(jnp.asarray, test)))


def _make_reader(plan: Plan) -> Reader:
    words = plan.domain.words
    outputs = sum(words.labels.values()) + len(words.values)
    recipe = replace(plan.recipe, outputs=outputs)
    hyper = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), plan.data.hyper)
    schedule = mmcl.Schedule(hyper.schedule.peak, hyper.schedule.warmup, jnp.float32(plan.steps))
    optimizer = make_optimizer(recipe.optimizer, schedule, hyper.clip_norm)
    places = tuple(plan.domain.semantics.index(name) for name in words.labels)
    return Reader(mmcl.make_encoders(recipe).x, optimizer, recipe.batch, words, places)


@jax.default_matmul_precision("float32")
def _advance(reader: Reader, key, data: Labelled, state: Any, done, steps: int):
    """The state after `steps` more steps, and the last loss."""

    def loss_of(params, stats, batch):
        outputs, stats = reader.encoder.train(params, stats, batch.images)
        return _loss(reader, outputs, batch), stats

    def step(state, done):
        params, stats, opt_state = state
        key_rows = jax.random.fold_in(key, done)
        rows = jax.random.randint(key_rows, (reader.batch,), 0, len(data.images))
        batch = jax.tree.map(lambda leaf: leaf[rows], data)
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        (loss, stats), grads = gradient(params, stats, batch)
        updates, opt_state = reader.optimizer.update(grads, opt_state, params, step=done)
        return (optax.apply_updates(params, updates), stats, opt_state), loss

    state, losses = jax.lax.scan(step, state, done + jnp.arange(steps))
    return state, losses[-1]


def _loss(reader: Reader, outputs, batch: Labelled) -> Float[Array, ""]:
    logits, values = _split(reader, outputs)
    labels = _labels(reader, batch)
    told = map(optax.softmax_cross_entropy_with_integer_labels, logits, labels)
    return sum(losses.mean() for losses in told) + jnp.mean((values - batch.values) ** 2, 0).sum()


def _readings(reader: Reader, outputs, test: Labelled):
    logits, values = _split(reader, outputs)
    labels = zip(reader.words.labels.items(), _labels(reader, test), logits, strict=True)
    for (name, size), truth, of_label in labels:
        yield Reading(name, "matthews", float(probes.matthews(truth, of_label.argmax(1), size)))
    for name, score in zip(reader.words.values, probes.r2(test.values, values), strict=True):
        yield Reading(name, "r2", float(score))


def _split(reader: Reader, outputs: Float[Array, "n outputs"]):
    """The logits of every label, and the values."""
    *logits, values = jnp.split(outputs, np.cumsum(list(reader.words.labels.values())), axis=1)
    return logits, values


def _labels(reader: Reader, part: Labelled):
    return [part.factors[:, place] for place in reader.places]


def main(argv: list[str]) -> None:
    """Prints a table, with the recipe that read."""
    del argv
    logging.set_verbosity(logging.WARNING)
    console = Console()
    try:
        plan = make_plan(CONFIG.value)
        keep_compiled()
        with progress(console) as show:
            pictures = plan.domain.load(lambda share: show("reading data", share, ""))
            readings = read_images(plan, pictures, jax.random.key(0), show)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    recipe = plan.recipe
    title = f"{recipe.image_encoder}, {recipe.optimizer}, {plan.steps} steps of {recipe.batch}"
    table = Table("latent", "metric", "test images", title=title)
    for reading in readings:
        table.add_row(reading.target, reading.metric, f"{reading.value:.3f}")
    console.print(table)


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
