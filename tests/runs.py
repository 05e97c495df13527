"""Helpers that run a config and compare the tables of two runs."""

import io
from contextlib import ExitStack
from functools import partial
from unittest.mock import patch

import jax
from rich.console import Console

from experiments import run as run_module
from experiments.loggers import no_log
from experiments.rundir.claim import checkpoint_metadata, claimed
from experiments.sweep.plan import lanes_of, make_plan, order_lanes

PROGRAMS = {}  # compiled sweeps by all that a compiled sweep depends on, see `compile_or_reuse`
MOST_PROGRAMS = 8


def run(directory, config, report=False, log=no_log, shared=None, programs=None):
    """Runs a config in a directory and returns the printed text.

    Without `report` no summary is printed: its figure takes longer than some steps of training.

    shared:   the arrays of the domain, if they are loaded already.
    programs: compiled sweeps that the run may take, and adds to. By default those of all runs
              without plugins, since a name can stand for another part in another plugin. A test
              that replaces a function or a constant that is compiled gives {}.
    """
    console = Console(record=True, width=120, file=io.StringIO())
    plan = make_plan(config)
    if shared is None:
        shared = plan.domain.load(lambda fraction: None)
    if programs is None:
        programs = {} if config.plugins else PROGRAMS
    with ExitStack() as stack:
        compile_sweep = partial(compile_or_reuse, programs, run_module.compile_sweep)
        stack.enter_context(patch.object(run_module, "compile_sweep", compile_sweep))
        if not report:
            stack.enter_context(patch.object(run_module, "print_summary"))
        lanes = stack.enter_context(claimed(directory, config, plan.lanes, lanes_of))
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


def compile_or_reuse(programs, compile_sweep, plan, mesh, shared):
    """Returns the compiled sweep of a plan; plans that differ in data alone share it."""
    if jax.tree.leaves(shared):
        return compile_sweep(plan, mesh, shared)
    sizes = jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype)), plan.data)
    static = repr((plan._replace(lanes=len(plan.lanes), data=sizes), mesh))
    sweep = programs.pop(static, None) or compile_sweep(plan, mesh, shared)
    programs[static] = sweep  # the latest is the last
    if len(programs) > MOST_PROGRAMS:
        programs.pop(next(iter(programs)))
    return sweep


def assert_same_tables(directory, other):
    """Asserts that the tables of two runs are equal byte for byte."""
    for name in ("results.csv", "history.csv"):
        assert (directory / name).read_bytes() == (other / name).read_bytes()
