"""Trace checks: the parts of plugins, called with abstract arrays before any work starts."""

from collections.abc import Sequence
from functools import partial

import jax
import numpy as np

from experiments.rundir.older_versions import ADDED_METRICS
from experiments.rundir.results import score_row
from experiments.runtime.devices import make_mesh
from experiments.runtime.plugins import one_line, plugin_errors
from experiments.sweep.lane import (
    init_lane,
    monitor_lane,
    restart_lane,
    score_lane,
    train_lane,
)
from experiments.sweep.plan import Plan, select_lanes


def check_parts(plan: Plan, plugins: Sequence[str]) -> None:
    """Raises ValueError, in one line, if a lane with the parts of plugins cannot be traced.

    A lane is initialised, trained for a step and scored, without computing anything.
    """
    try:
        with plugin_errors(plugins):
            _trace(select_lanes(plan, [0]))
    except ValueError:
        raise
    except Exception as error:  # of other code, which takes the results of the parts
        raise ValueError(f"plugins {', '.join(plugins)} do not fit: {one_line(error)}") from error


def _trace(plan: Plan) -> None:
    shared = plan.domain.empty_shared()
    lane = jax.tree.map(lambda leaf: leaf[0], plan.data)
    state = jax.eval_shape(partial(init_lane, plan), shared, lane)
    train = partial(train_lane, plan, mesh=make_mesh(1), steps=1)
    state, _ = jax.eval_shape(lambda *given: train(*given, done=0), shared, lane, state)
    if plan.estimate_size:
        state = jax.eval_shape(partial(restart_lane, plan), shared, lane, state)
    scores, monitor = (
        jax.tree.map(
            lambda leaf: np.zeros(leaf.shape, leaf.dtype),
            jax.eval_shape(partial(function, plan), shared, lane, state),
        )
        for function in (score_lane, monitor_lane)
    )
    _check_rows(plan, scores)
    plan.domain.monitor_row(monitor)


def _check_rows(plan: Plan, scores) -> None:
    """Raises ValueError unless scores of zeros give rows of all columns, as many as announced."""
    rows = list(plan.domain.score_rows(plan.lanes[0], scores))
    columns = score_row("x", "none", "s1", "r2", value=0, attainable=0).keys()
    for row in rows:
        if row.keys() != columns:
            allowed = ", ".join(columns)
            raise ValueError(
                f"a row of scores has the columns {', '.join(row)}: allowed is {allowed}"
            )
    count = sum(row["metric"] not in ADDED_METRICS for row in rows)
    if count != plan.domain.scores_per_lane:
        raise ValueError(
            f"scores_per_lane of the domain is {plan.domain.scores_per_lane}: allowed is {count}, "
            "the number of rows"
        )
