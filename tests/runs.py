"""A small run and what tests compare of it."""

import io

from rich.console import Console

from experiments import run as run_module
from experiments.plan import arrange, make_plan
from experiments.rundir import claimed, origin


def run(directory, config):
    """Runs a config in a directory; returns what that prints."""
    console = Console(record=True, width=120, file=io.StringIO())
    plan = make_plan(config)
    shared = plan.domain.load(lambda share: None)
    with claimed(directory, config, plan.lanes) as lanes:
        run_module.run(arrange(plan, lanes), shared, directory, console, origin(config))
    return console.export_text()


def assert_same_tables(directory, other):
    for name in ("results.csv", "history.csv"):
        assert (directory / name).read_bytes() == (other / name).read_bytes()
