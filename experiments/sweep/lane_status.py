"""Lane status: whether the training of a lane can be trusted, judged by its losses."""

from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
import pandas as pd

import mmcl
from experiments.rundir.checkpoint_files import DIVERGED, status_of
from experiments.sweep.plan import Plan

LARGEST = 1000.0  # distance of a loss from that of constant representations
TOLERANCE = 1e-3  # of that loss, relative, which rounding and noise reach
RUNAWAY = "suspect: loss ran away at step {}"
CONSTANT = "suspect: loss never below that of constant representations"


def lane_statuses(
    plan: Plan, numbers: Sequence[int], failed_at: Sequence[int], history: pd.DataFrame
) -> list[str]:
    """Returns the status of every lane of a plan, whose numbers in the run directory are given.

    "diverged at step K": the loss or its gradient was not finite; `failed_at` is K, else -1.
    "suspect: loss ran away at step K": the mean loss up to step K is further than `LARGEST` from
        the loss of constant representations.
    "suspect: loss never below that of constant representations": nothing was learned.
    "ok": none of these, or the history of the lane was lost.
    """
    constants = np.asarray(jax.vmap(partial(mmcl.constant_loss, plan.recipe))(plan.data.hyper))
    return [
        status_of(step, _judge(history[history.lane == number], constant))
        for number, step, constant in zip(numbers, failed_at, constants, strict=True)
    ]


def usual_reason(status: str) -> str:
    """Returns a sentence on the usual reason of a status, "" for "ok"."""
    reasons = {
        DIVERGED: "usual reason: learning rate too high, or clip_norm too large",
        RUNAWAY.format(""): "usual reason: temperature too low for unbounded representations",
        CONSTANT: "usual reason: too few steps, or learning rate too low",
    }
    return next((text for start, text in reasons.items() if status.startswith(start)), "")


def _judge(points: pd.DataFrame, constant: float) -> str:
    """Returns the status of a lane that did not diverge, from the points of its history."""
    far = points[(points.loss - constant).abs() > LARGEST]
    if len(far):
        return RUNAWAY.format(far.step.iloc[0])
    constant -= TOLERANCE * max(1.0, abs(constant))
    return CONSTANT if (points.loss >= constant).all() and len(points) else "ok"
