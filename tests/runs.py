"""Helpers that run a config and compare the tables of two runs."""

import io
from contextlib import nullcontext
from unittest.mock import patch

from rich.console import Console

from experiments import run as run_module
from experiments.loggers import no_log
from experiments.rundir.claim import checkpoint_metadata, claimed
from experiments.sweep.plan import lanes_of, make_plan, order_lanes


def run(directory, config, report=False, log=no_log, shared=None):
    """Runs a config in a directory and returns the printed text.

    Without `report` no summary is printed: its figure takes longer than some steps of training.
    `shared` are the arrays of the domain, if they are loaded already.
    """
    console = Console(record=True, width=120, file=io.StringIO())
    plan = make_plan(config)
    if shared is None:
        shared = plan.domain.load(lambda fraction: None)
    summary = nullcontext() if report else patch.object(run_module, "print_summary")
    with summary, claimed(directory, config, plan.lanes, lanes_of) as lanes:
        plan = order_lanes(plan, lanes)
        run_module.run(
            plan,
            shared,
            directory,
            console=console,
            metadata=checkpoint_metadata(config),
            log=log,
        )
    return console.export_text()


def assert_same_tables(directory, other):
    """Asserts that the tables of two runs are equal byte for byte."""
    for name in ("results.csv", "history.csv"):
        assert (directory / name).read_bytes() == (other / name).read_bytes()
