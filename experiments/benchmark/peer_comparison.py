"""Peer comparison: a sweep and the PyTorch peer, timed alternately on the same device."""

import importlib.util
import time
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from experiments.benchmark.measurement.cases import (
    Case,
    Ceilings,
    Prepared,
    Row,
    first_state,
    make_row,
    prepare_sweep,
    unit_times,
)
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.steps import CYCLE, numeric_config
from experiments.domains.domain import World
from experiments.runtime.devices import is_out_of_memory
from experiments.sweep.lane import LaneState
from experiments.sweep.plan import Plan, make_plan
from mmcl.optimizers.registry import OPTIMIZERS

PART = "peer"
RECIPES = ("fast", "paper")
EAGER, COMPILED = "eager", "torch.compile"
MISSING = "not available: install PyTorch with pip install -e '.[bench]'"


class PeerComparison(NamedTuple):
    """The sweeps and the peer programs of one recipe, which are timed together.

    sweeps: one per optimiser: its plan, and a function that returns the state of its first lane.
    steps:  in one call of a program.
    peers:  pairs of an optimiser and EAGER or COMPILED; each trains one lane of the first sweep.
    """

    recipe: str
    sweeps: list[tuple[Plan, Callable[[], LaneState]]]
    steps: int
    peers: list[tuple[str, str]]


class PeerProgram(NamedTuple):
    """A peer program and the columns of its row; None if the row has a note of what is missing."""

    row: Row
    program: Program | None


def compare_with_peer(
    sizes: Sizes, ceilings: dict[int, Ceilings], log: Callable[[str], None]
) -> list[Row]:
    """Returns rows of sweeps and of the peer by the recipes in RECIPES, per lane-step.

    log: called with a line of text after each recipe.
    """
    rows = []
    for comparison in _comparisons(sizes):
        try:
            rows += _measure(comparison, sizes, ceilings)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            size = comparison.sweeps[0][0].recipe.batch
            row = {"part": PART, "variant": comparison.recipe, "size": size}
            rows.append(row | {"note": "out of memory"})
        log(f"{PART}: {comparison.recipe}")
    return rows


def _comparisons(sizes: Sizes) -> list[PeerComparison]:
    config_of = lambda optimizer: numeric_config(sizes.peer_lanes, "fast", optimizer=optimizer)
    fast = [_sweep(config_of(optimizer)) for optimizer in OPTIMIZERS]
    batch = {"batch": sizes.peer_batch, "group": sizes.peer_batch}
    paper = [_sweep(numeric_config(jax.device_count(), "paper", **batch))]
    adam = [("adam", EAGER), ("adam", COMPILED)]
    return [
        PeerComparison("fast", fast, CYCLE, [*adam, ("muon", EAGER)]),
        PeerComparison("paper", paper, 1, adam),
    ]


def _sweep(config: ConfigDict) -> tuple[Plan, Callable[[], LaneState]]:
    plan = make_plan(config)
    return plan, cache(partial(first_state, plan, tuple))


def _measure(comparison: PeerComparison, sizes: Sizes, ceilings: dict[int, Ceilings]) -> list[Row]:
    sweeps, peers = _prepare_sweeps(comparison), _peer_programs(comparison)
    programs = {name: prepared.program for name, (_, prepared) in sweeps.items()}
    programs |= {name: peer.program for name, peer in peers.items() if peer.program}
    seconds = measure(programs, sizes.repeats, sizes.repeat_seconds)
    times = lambda name: unit_times(seconds[name], comparison.steps) if name in seconds else {}
    return [
        *(
            make_row(PART, case, prepared, seconds=seconds[name], ceilings=ceilings)
            for name, (case, prepared) in sweeps.items()
        ),
        *(peer.row | times(name) for name, peer in peers.items()),
    ]


def _prepare_sweeps(comparison: PeerComparison) -> dict[str, tuple[Case, Prepared]]:
    sweeps = {}
    for plan, make_state in comparison.sweeps:
        name = f"{comparison.recipe}, {plan.recipe.optimizer}, ours"
        prepare = partial(prepare_sweep, plan, tuple, make_state, comparison.steps)
        case = Case(name, plan.recipe.batch, len(plan.lanes), prepare)
        sweeps[name] = case, prepare()
    return sweeps


def _peer_programs(comparison: PeerComparison) -> dict[str, PeerProgram]:
    device, obstacle = torch_device()
    (plan, make_state), programs = comparison.sweeps[0], {}
    for optimizer, mode in comparison.peers:
        name = f"{comparison.recipe}, {optimizer}, {mode}"
        row = {"part": PART, "variant": name, "size": plan.recipe.batch, "lanes": 1, "devices": 1}
        made = PeerProgram({"note": obstacle}, None)
        if not obstacle:
            made = _peer_program(
                plan,
                make_state().world,
                optimizer=optimizer,
                mode=mode,
                steps=comparison.steps,
                device=device,
            )
        programs[name] = PeerProgram(row | made.row, made.program)
    return programs


def torch_device() -> tuple[str, str]:
    """Returns PyTorch's name for the device that JAX uses, and a note if it is not available."""
    if importlib.util.find_spec("torch") is None:
        return "", MISSING
    import torch  # noqa: PLC0415  # optional

    if jax.default_backend() == "cpu":
        return "cpu", ""
    if jax.default_backend() == "gpu" and torch.cuda.is_available():
        return "cuda", ""
    return "", f"not available: this PyTorch does not support {jax.default_backend()}"


def _peer_program(
    plan: Plan, world: World, *, optimizer: str, mode: str, steps: int, device: str
) -> PeerProgram:
    """Returns the peer after its first step, which compiles it, or a note of a missing compiler."""
    import torch  # noqa: PLC0415  # optional

    from experiments.benchmark import peer  # noqa: PLC0415  # needs torch

    lane, world = jax.tree.map(lambda leaf: np.asarray(leaf[0]), (plan.data, world))
    tensors = peer.peer_world(world, lane.bias, device)
    decorate = torch.compile if mode == COMPILED else lambda function: function
    step = peer.make_step(plan.recipe, lane, tensors, optimizer=optimizer, decorate=decorate)

    def call(_, count=steps):
        for _ in range(count):
            loss = step()
        return loss.item()  # waits for the device

    start = time.perf_counter()
    try:
        call(None, 1)
    except Exception as error:  # depends on the compiler that is missing
        if mode != COMPILED:
            raise
        return PeerProgram({"note": f"not available: {type(error).__name__}"}, None)
    row = {"compile_s": time.perf_counter() - start} if mode == COMPILED else {}
    return PeerProgram(row, Program(call))
