"""Duel: our sweep and the peer take turns at the same work on the same device."""

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
    Ready,
    Row,
    first_state,
    in_a_sweep,
    make_row,
    times_a_unit,
)
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.steps import CYCLE, numeric
from experiments.domains.domain import World
from experiments.runtime.devices import is_out_of_memory
from experiments.sweep.lane import LaneState
from experiments.sweep.plan import Plan, make_plan
from mmcl.optimizers.registry import OPTIMIZERS

PART = "peer"
RECIPES = ("fast", "paper")
EAGER, COMPILED = "eager", "torch.compile"
MISSING = "not at hand: pip install -e '.[bench]' brings PyTorch"


class Duel(NamedTuple):
    """Ours against the peer by one recipe.

    sweeps: ours, by optimiser, each a plan and () -> its first lane's state; steps: in a call;
    peers: (optimiser, "eager" or "torch.compile"), each of which trains a lane of the first sweep.
    """

    recipe: str
    sweeps: list[tuple[Plan, Callable[[], LaneState]]]
    steps: int
    peers: list[tuple[str, str]]


class Rival(NamedTuple):
    """A peer: its row, and its program; None where the row has a note of what is missing."""

    row: Row
    program: Program | None


def duels(sizes: Sizes, ceilings: dict[int, Ceilings], tell: Callable[[str], None]) -> list[Row]:
    """Ours beside the peer by the recipes `fast` and `paper`, milliseconds a lane-step.

    tell: hears that a recipe is done.
    """
    rows = []
    for duel in _duels(sizes):
        try:
            rows += _fight(duel, sizes, ceilings)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            size = duel.sweeps[0][0].recipe.batch
            rows.append(
                {"part": PART, "variant": duel.recipe, "size": size, "note": "out of memory"}
            )
        tell(f"{PART}: {duel.recipe}")
    return rows


def _duels(sizes: Sizes) -> list[Duel]:
    of = lambda optimizer: numeric(sizes.duel_lanes, "fast", optimizer=optimizer)
    fast = [_sweep(of(optimizer)) for optimizer in OPTIMIZERS]
    batch = {"batch": sizes.duel_batch, "group": sizes.duel_batch}
    paper = [_sweep(numeric(jax.device_count(), "paper", **batch))]
    adam = [("adam", EAGER), ("adam", COMPILED)]
    return [Duel("fast", fast, CYCLE, [*adam, ("muon", EAGER)]), Duel("paper", paper, 1, adam)]


def _sweep(config: ConfigDict) -> tuple[Plan, Callable[[], LaneState]]:
    plan = make_plan(config)
    return plan, cache(partial(first_state, plan, tuple))


def _fight(duel: Duel, sizes: Sizes, ceilings: dict[int, Ceilings]) -> list[Row]:
    ours, theirs = _ours(duel), _theirs(duel)
    programs = {name: ready.program for name, (_, ready) in ours.items()}
    programs |= {name: rival.program for name, rival in theirs.items() if rival.program}
    times = measure(programs, sizes.repeats, sizes.least)
    spent = lambda name: times_a_unit(times[name], duel.steps) if name in times else {}
    return [
        *(make_row(PART, *one, times[name], ceilings) for name, one in ours.items()),
        *(rival.row | spent(name) for name, rival in theirs.items()),
    ]


def _ours(duel: Duel) -> dict[str, tuple[Case, Ready]]:
    sweeps = {}
    for plan, begin in duel.sweeps:
        name = f"{duel.recipe}, {plan.recipe.optimizer}, ours"
        prepare = partial(in_a_sweep, plan, tuple, begin, duel.steps)
        case = Case(name, plan.recipe.batch, len(plan.lanes), prepare)
        sweeps[name] = case, prepare()
    return sweeps


def _theirs(duel: Duel) -> dict[str, Rival]:
    device, obstacle = _peer_device()
    (plan, begin), rivals = duel.sweeps[0], {}
    for optimizer, how in duel.peers:
        name = f"{duel.recipe}, {optimizer}, {how}"
        row = {"part": PART, "variant": name, "size": plan.recipe.batch, "lanes": 1, "devices": 1}
        found = Rival({"note": obstacle}, None)
        if not obstacle:
            found = _rival(plan, begin().world, optimizer, how, duel.steps, device)
        rivals[name] = Rival(row | found.row, found.program)
    return rivals


def _peer_device() -> tuple[str, str]:
    """PyTorch's name for the device that JAX uses, or what stands in the way."""
    if importlib.util.find_spec("torch") is None:
        return "", MISSING
    import torch  # noqa: PLC0415  # optional

    if jax.default_backend() == "cpu":
        return "cpu", ""
    if jax.default_backend() == "gpu" and torch.cuda.is_available():
        return "cuda", ""
    return "", f"not at hand: PyTorch sees no {jax.default_backend()}"


def _rival(plan: Plan, world: World, optimizer: str, how: str, steps: int, device: str) -> Rival:
    """The peer after its first step, which compiles it, or a note why that cannot be."""
    import torch  # noqa: PLC0415  # optional

    from experiments.benchmark import peer  # noqa: PLC0415  # needs torch

    lane, world = jax.tree.map(lambda leaf: np.asarray(leaf[0]), (plan.data, world))
    tensors = peer.peer_world(world, lane.bias, device)
    decorate = torch.compile if how == COMPILED else lambda function: function
    one_step = peer.make_step(plan.recipe, lane, tensors, optimizer, decorate)

    def call(_, count=steps):
        for _ in range(count):
            loss = one_step()
        return loss.item()  # waits for the device

    start = time.perf_counter()
    try:
        call(None, 1)
    except Exception as error:  # of whatever compiler is missing
        if how != COMPILED:
            raise
        return Rival({"note": f"not at hand: {type(error).__name__}"}, None)
    compiled = {"compile_s": time.perf_counter() - start} if how == COMPILED else {}
    return Rival(compiled, Program(call))
