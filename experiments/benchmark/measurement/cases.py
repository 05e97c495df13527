"""Cases: one thing to measure, made ready, timed, and written as a row of the table."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.benchmark.measurement.flops import count_flops
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.sizes import Sizes
from experiments.runtime.devices import (
    bytes_needed,
    bytes_usable,
    is_out_of_memory,
    make_mesh,
    on_devices,
)
from experiments.sweep.compiled import make_sweep
from experiments.sweep.lane import LaneState, train_lane
from experiments.sweep.plan import Plan, take

Row = dict[str, Any]  # columns of the table by name


class Ready(NamedTuple):
    """A compiled program.

    units:     how many of what is measured one call does: steps, or lane-steps.
    flops:     counted operations of a unit; bytes: that a unit reads and writes at the least.
    needed:    bytes on a device while it runs, by its own account.
    compiling: seconds to trace and compile it; devices: how many take part.
    """

    program: Program
    units: int
    flops: float
    bytes: float
    needed: int
    compiling: float
    devices: int = 1


class Case(NamedTuple):
    """What a row of the table tells of: its name, sizes, and how to make it ready."""

    variant: str
    size: int
    lanes: int
    prepare: Callable[[], Ready]


Ladder = list[Case]  # from small to large


class Ceilings(NamedTuple):
    """What some devices can do at most together: float32 products, and copies; a second."""

    flops: float
    bytes: float


def on_one_device(
    function: Callable, make_args: Callable[[], tuple], units: int = 1, in_turn: bool = False
) -> Ready:
    """function(*make_args()) on one device; it does `units` of what is measured.

    Of units done in turn each reads all arguments and writes all results, of others its share.
    """
    args = make_args()
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*args).compile()
    compiling = time.perf_counter() - start
    memory = compiled.memory_analysis()
    return Ready(
        Program(lambda _: compiled(*args)),
        units,
        count_flops(function, *args) / units,
        (memory.argument_size_in_bytes + memory.output_size_in_bytes) / (1 if in_turn else units),
        bytes_needed(compiled),
        compiling,
    )


def in_a_sweep(
    plan: Plan, load: Callable[[], Any], begin: Callable[[], LaneState], steps: int
) -> Ready:
    """Training steps of all lanes of a plan, in the middle of training, without glances.

    load: () -> shared arrays of the domain. begin: () -> state of every lane, [1, ...] on the host.
    """
    plan = plan._replace(domain=plan.domain._replace(glance=lambda trained, key: ()))
    shared, state = load(), begin()
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = make_sweep(plan, mesh, shared)
    start = time.perf_counter()
    needed = sweep.memory(steps)
    compiling = time.perf_counter() - start
    everyone = jax.tree.map(lambda leaf: np.repeat(leaf, len(plan.lanes), 0), state)
    data, states = on_devices(mesh, (plan.data, everyone))
    done = plan.steps // 2 // steps * steps
    first = partial(jax.tree.map, lambda leaf: leaf[0])
    # of a lane on one device: a batch that is split counts the same
    step = lambda done, *lane: train_lane(plan, make_mesh(1), done, 1, *lane)
    return Ready(
        Program(lambda states: sweep.train(data, states, done, steps)[0], states),
        steps * len(plan.lanes),
        count_flops(step, np.int32(done), shared, first(plan.data), first(state)),
        2 * sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
        needed,
        compiling,
        mesh.size,
    )


def first_state(plan: Plan, load: Callable[[], Any]) -> LaneState:
    """The state that the first lane of a plan begins with: [1, ...] on the host."""
    one = take(plan, [0])
    return make_sweep(one, make_mesh(1), load()).init(one.data)


def measure_ladder(
    part: str, cases: Ladder, sizes: Sizes, ceilings: dict[int, Ceilings], tell: Callable
) -> list[Row]:
    """A row a case, from small to large; what does not fit, or would take too long, says so.

    tell: hears that a case is done. Bad settings raise ValueError.
    """
    rows, pace = [], 0.0  # seconds an operation of the case before
    for case in cases:
        try:
            ready = case.prepare()
            expected = (sizes.repeats + 1) * pace * ready.flops * ready.units
            note = _obstacle(ready, expected, sizes)
            seconds = () if note else measure({"": ready.program}, sizes.repeats, sizes.least)[""]
            rows.append(make_row(part, case, ready, seconds, ceilings) | {"note": note})
            if seconds and ready.flops:
                pace = statistics.median(seconds) / (ready.flops * ready.units)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            rows.append(_named(part, case) | {"note": "out of memory"})
        tell(f"{part}: {case.variant} {case.size}")
    return rows


def make_row(
    part: str, case: Case, ready: Ready, seconds: tuple[float, ...], ceilings: dict[int, Ceilings]
) -> Row:
    """A row of the table: milliseconds a unit, and achieved rates as a share of the ceilings."""
    row = _named(part, case) | {
        "devices": ready.devices,
        "peak_mib": ready.needed / 2**20,
        "compile_s": ready.compiling,
    }
    if not seconds:
        return row
    row |= times_a_unit(seconds, ready.units)
    rates = Ceilings(*(1e3 * amount / row["time_ms"] for amount in (ready.flops, ready.bytes)))
    row |= {"gflops": rates.flops / 1e9, "gb_s": rates.bytes / 1e9}
    busy = min(ready.devices, case.lanes)  # the others have a copy of a lane
    if busy in ceilings:
        most = ceilings[busy]
        row["share"] = max(rates.flops / most.flops, rates.bytes / most.bytes)
    return row


def times_a_unit(seconds: tuple[float, ...], units: int) -> Row:
    """Median, least and largest milliseconds of one of the `units` that a call does."""
    each = [1e3 * value / units for value in seconds]
    return {"time_ms": statistics.median(each), "low": min(each), "high": max(each)}


def _named(part: str, case: Case) -> Row:
    return {"part": part, "variant": case.variant, "size": case.size, "lanes": case.lanes}


def _obstacle(ready: Ready, expected: float, sizes: Sizes) -> str:
    if ready.needed > bytes_usable():
        return "does not fit in memory"
    return f"not timed: about {expected:.0f} s" if expected > sizes.seconds else ""
