"""A small run and what tests compare of it."""

import io
from contextlib import nullcontext
from unittest.mock import patch

from rich.console import Console

from experiments import run as run_module
from experiments.rundir.claim import claimed, origin
from experiments.sweep.plan import arrange, make_plan


def run(directory, config, report=False):
    """Runs a config in a directory; returns what that prints. With `report` to its very end.

    That end is a table and a figure, which take longer than some steps.
    """
    console = Console(record=True, width=120, file=io.StringIO())
    plan = make_plan(config)
    shared = plan.domain.load(lambda share: None)
    end = nullcontext() if report else patch.object(run_module, "print_end")
    with end, claimed(directory, config, plan.lanes) as lanes:
        run_module.run(arrange(plan, lanes), shared, directory, console, origin(config))
    return console.export_text()


def assert_same_tables(directory, other):
    for name in ("results.csv", "history.csv"):
        assert (directory / name).read_bytes() == (other / name).read_bytes()
