"""Supervised: trains the image encoder of a recipe on the true factors, as an upper reference.

misalign supervised scenes_small
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from absl import app, flags, logging
from jaxtyping import Array, Float, Key
from rich.console import Console

import mmcl
import probes
from experiments.domains.captioned import CaptionedDomain, ImageSplits, LabelledImages
from experiments.domains.captioned_scores import ENCODED_TOGETHER
from experiments.report.terminal_tables import frame_columns, print_table
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import enable_compilation_cache, fix_numeric_settings
from experiments.runtime.progress import Show, progress
from experiments.runtime.user_errors import user_errors
from experiments.sweep.plan import Plan, make_plan
from mmcl.optimizers.registry import make_optimizer
from mmcl.optimizers.schedule import learning_rate
from mmcl.optimizers.weight_decay import apply_updates


class SupervisedScore(NamedTuple):
    """Score of a target on test images; metric "matthews" or "r2"."""

    target: str
    metric: str
    value: float


class SupervisedModel(NamedTuple):
    """The network, with one output per class and value, and its training.

    decay:       (step) -> fraction of weights that the step subtracts.
    label_sizes: number of classes of each label; positions: of the labels among the factors.
    """

    encoder: mmcl.Encoder
    optimizer: optax.GradientTransformationExtraArgs
    decay: optax.Schedule
    batch: int
    label_sizes: dict[str, int]
    positions: tuple[int, ...]


def supervised_scores(
    plan: Plan, splits: ImageSplits, key: Key[Array, ""], show: Show
) -> list[SupervisedScore]:
    """Trains the recipe's image encoder on the true factors and scores it on test images.

    The loss is the sum of the cross-entropies of labels and of the mean squared errors of
    standardised values; the steps are those of the recipe. Raises ValueError for a plan without
    images.
    """
    if not isinstance(plan.domain, CaptionedDomain):
        raise ValueError("domain has no images: allowed is a config with images")
    key_init, key_train = jax.random.split(key)
    mean, std = splits.train.values.mean(0)[None], splits.train.values.std(0)[None]
    train, test = (part._replace(values=(part.values - mean) / std) for part in splits)
    model = _make_model(plan, plan.domain)
    params, stats = model.encoder.init(key_init, jnp.asarray(train.images[: model.batch]))
    state = params, stats, model.optimizer.init(params)
    data = jax.tree.map(jnp.asarray, train)
    advance = jax.jit(partial(_advance, model), static_argnames="steps")
    for done in range(0, plan.steps, plan.log_every):
        steps = min(plan.log_every, plan.steps - done)
        state, loss = advance(key_train, data, state, done=done, steps=steps)
        show("training", (done + steps) / plan.steps, f"step {done + steps}, loss {loss:.3f}")
    apply = jax.jit(model.encoder.apply)
    parts = np.array_split(test.images, max(1, len(test.images) // ENCODED_TOGETHER))
    outputs = jnp.concatenate([apply(*state[:2], part) for part in parts])
    names = plan.domain.targets.values
    return list(_scores(model, names, outputs, jax.tree.map(jnp.asarray, test)))


def _make_model(plan: Plan, domain: CaptionedDomain) -> SupervisedModel:
    outputs = sum(domain.label_sizes.values()) + len(domain.targets.values)
    recipe = replace(plan.recipe, outputs=outputs)
    hyper = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), plan.data.hyper)
    schedule = mmcl.Schedule(
        hyper.schedule.peak, hyper.schedule.warmup, decay_end=jnp.float32(plan.steps)
    )
    return SupervisedModel(
        encoder=mmcl.make_encoders(recipe).x,
        optimizer=make_optimizer(recipe.optimizer, schedule, hyper.clip_norm),
        decay=lambda step: learning_rate(schedule, step) * hyper.weight_decay,
        batch=recipe.batch,
        label_sizes=domain.label_sizes,
        positions=tuple(domain.semantics.index(name) for name in domain.label_sizes),
    )


@jax.default_matmul_precision("float32")
def _advance(model: SupervisedModel, key, data: LabelledImages, state: Any, *, done, steps: int):
    """The state after `steps` more steps, and the last loss."""

    def loss_of(params, stats, batch):
        outputs, stats = model.encoder.train(params, stats, batch.images)
        return _loss(model, outputs, batch), stats

    def step(state, done):
        params, stats, opt_state = state
        key_rows = jax.random.fold_in(key, done)
        rows = jax.random.randint(key_rows, (model.batch,), 0, len(data.images))
        batch = jax.tree.map(lambda leaf: leaf[rows], data)
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        (loss, stats), grads = gradient(params, stats, batch)
        updates, opt_state = model.optimizer.update(grads, opt_state, params, step=done)
        params = apply_updates(params, updates, model.decay(done))
        return (params, stats, opt_state), loss

    state, losses = jax.lax.scan(step, state, done + jnp.arange(steps))
    return state, losses[-1]


def _loss(model: SupervisedModel, outputs, batch: LabelledImages) -> Float[Array, ""]:
    logits, values = _split_outputs(model, outputs)
    cross_entropy = optax.softmax_cross_entropy_with_integer_labels
    label_losses = map(cross_entropy, logits, _labels(model, batch))
    value_losses = jnp.mean((values - batch.values) ** 2, 0)
    return sum(losses.mean() for losses in label_losses) + value_losses.sum()


def _scores(
    model: SupervisedModel, value_names, outputs, test: LabelledImages
) -> Iterator[SupervisedScore]:
    logits, values = _split_outputs(model, outputs)
    labels = zip(model.label_sizes.items(), _labels(model, test), logits, strict=True)
    for (name, size), truth, label_logits in labels:
        score = probes.matthews(truth, label_logits.argmax(1), size)
        yield SupervisedScore(name, "matthews", float(score))
    for name, score in zip(value_names, probes.r2(test.values, values), strict=True):
        yield SupervisedScore(name, "r2", float(score))


def _split_outputs(model: SupervisedModel, outputs: Float[Array, "n outputs"]):
    """The logits of every label, and the values."""
    *logits, values = jnp.split(outputs, np.cumsum(list(model.label_sizes.values())), axis=1)
    return logits, values


def _labels(model: SupervisedModel, part: LabelledImages):
    return [part.factors[:, position] for position in model.positions]


def main(argv: list[str]) -> None:
    """Runs the command line: prints a table of scores."""
    del argv
    logging.set_verbosity(logging.WARNING)
    console = Console()
    with user_errors():
        plan = make_plan(CONFIG.value)
        fix_numeric_settings()
        enable_compilation_cache()
        with progress(console) as show:
            splits = plan.domain.load(lambda fraction: show("reading data", fraction, ""))
            scores = supervised_scores(plan, splits, jax.random.key(0), show)
    recipe = plan.recipe
    title = f"{recipe.image_encoder}, {recipe.optimizer}, {plan.steps} steps of {recipe.batch}"
    console.print(title, highlight=False, markup=False)
    table = pd.DataFrame(scores).rename(columns={"target": "latent", "value": "test images"})
    print_table(console, frame_columns(table))


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
