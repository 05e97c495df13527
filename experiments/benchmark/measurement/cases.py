"""Cases: one measurement each, prepared, timed, and returned as a row of the table."""

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
    shard_lanes,
)
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.lane import LaneState, train_lane
from experiments.sweep.plan import Plan, select_lanes

Row = dict[str, Any]  # columns of the table by name


class Prepared(NamedTuple):
    """A compiled program, and the amount of work in one call of it.

    units:           of work in one call; a unit is a step, a lane-step or an image, for example.
    flops:           counted floating-point operations of a unit.
    bytes:           that a unit must read and write.
    device_bytes:    memory on each device while the program runs, as reported by the compiler.
    compile_seconds: to trace and compile the program.
    devices:         number of devices that take part.
    """

    program: Program
    units: int
    flops: float
    bytes: float
    device_bytes: int
    compile_seconds: float
    devices: int = 1


class Case(NamedTuple):
    """One row of the table to measure: its variant, size and lanes, and how to prepare it."""

    variant: str
    size: int
    lanes: int
    prepare: Callable[[], Prepared]


Ladder = list[Case]  # from small to large


class Ceilings(NamedTuple):
    """The most that devices reach together: operations and bytes per second.

    flops: of float32 matrix products; bytes: read and written by copies.
    """

    flops: float
    bytes: float


def prepare_function(
    function: Callable, make_args: Callable[[], tuple], units: int = 1, sequential: bool = False
) -> Prepared:
    """Compiles function(*make_args()) for one device.

    units:      of work in one call.
    sequential: whether each unit reads all arguments and writes all results; otherwise a unit
                reads and writes its part of them.
    """
    args = make_args()
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*args).compile()
    compile_seconds = time.perf_counter() - start
    memory = compiled.memory_analysis()
    moved_bytes = memory.argument_size_in_bytes + memory.output_size_in_bytes
    return Prepared(
        program=Program(lambda _: compiled(*args)),
        units=units,
        flops=count_flops(function, *args) / units,
        bytes=moved_bytes / (1 if sequential else units),
        device_bytes=bytes_needed(compiled),
        compile_seconds=compile_seconds,
    )


def prepare_sweep(
    plan: Plan, load: Callable[[], Any], make_state: Callable[[], LaneState], steps: int
) -> Prepared:
    """Compiles `steps` training steps of all lanes of a plan, in mid-training.

    The monitor scores are left out.

    load:       () -> shared arrays of the domain.
    make_state: () -> state that every lane begins with, [1, ...] on the host.
    """
    shared, state = load(), make_state()
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = compile_sweep(plan, mesh, shared, monitor=lambda *lane: ())
    start = time.perf_counter()
    device_bytes = sweep.memory(steps)
    compile_seconds = time.perf_counter() - start
    all_states = jax.tree.map(lambda leaf: np.repeat(leaf, len(plan.lanes), 0), state)
    data, states = shard_lanes(mesh, (plan.data, all_states))
    done = plan.steps // 2 // steps * steps
    first = partial(jax.tree.map, lambda leaf: leaf[0])
    # counted for a lane on one device: a batch that is split over devices has as many operations
    step = lambda done, *lane: train_lane(plan, *lane, mesh=make_mesh(1), done=done, steps=1)
    return Prepared(
        program=Program(lambda states: sweep.train(data, states, done, steps)[0], states),
        units=steps * len(plan.lanes),
        flops=count_flops(step, np.int32(done), shared, first(plan.data), first(state)),
        bytes=2 * sum(leaf.nbytes for leaf in jax.tree.leaves(state)),
        device_bytes=device_bytes,
        compile_seconds=compile_seconds,
        devices=mesh.size,
    )


def first_state(plan: Plan, load: Callable[[], Any]) -> LaneState:
    """Returns the initial state of the first lane of a plan: [1, ...] on the host."""
    first_lane = select_lanes(plan, [0])
    return compile_sweep(first_lane, make_mesh(1), load()).init(first_lane.data)


def measure_ladder(
    part: str,
    cases: Ladder,
    *,
    sizes: Sizes,
    ceilings: dict[int, Ceilings],
    log: Callable[[str], Any],
) -> list[Row]:
    """Measures cases from small to large and returns one row per case.

    A case that does not fit in memory, or is expected to take too long, has a note in place of
    times.

    ceilings: by number of devices.
    log:      called with a line of text after each case.

    Raises ValueError for bad settings.
    """
    rows, seconds_per_flop = [], 0.0  # of the previous case
    for case in cases:
        try:
            prepared = case.prepare()
            expected = (sizes.repeats + 1) * seconds_per_flop * prepared.flops * prepared.units
            note = _reason_not_to_time(prepared, expected, sizes)
            seconds = ()
            if not note:
                programs = {"": prepared.program}
                seconds = measure(programs, sizes.repeats, sizes.repeat_seconds)[""]
            row = make_row(part, case, prepared, seconds=seconds, ceilings=ceilings)
            rows.append(row | {"note": note})
            if seconds and prepared.flops:
                seconds_per_flop = statistics.median(seconds) / (prepared.flops * prepared.units)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            rows.append(_key_columns(part, case) | {"note": "out of memory"})
        log(f"{part}: {case.variant} {case.size}")
    return rows


def make_row(
    part: str,
    case: Case,
    prepared: Prepared,
    *,
    seconds: tuple[float, ...],
    ceilings: dict[int, Ceilings],
) -> Row:
    """Returns a row of the table: times per unit, and rates as fractions of the ceilings.

    seconds:  of each call; () for a case that was not timed.
    ceilings: by number of devices.
    """
    row = _key_columns(part, case) | {
        "devices": prepared.devices,
        "peak_mib": prepared.device_bytes / 2**20,
        "compile_s": prepared.compile_seconds,
    }
    if not seconds:
        return row
    row |= unit_times(seconds, prepared.units)
    amounts = prepared.flops, prepared.bytes
    rates = Ceilings(*(1e3 * amount / row["time_ms"] for amount in amounts))
    row |= {"gflops": rates.flops / 1e9, "gb_s": rates.bytes / 1e9}
    busy_devices = min(prepared.devices, case.lanes)  # the others repeat the first lane
    if busy_devices in ceilings:
        ceiling = ceilings[busy_devices]
        row["share"] = max(rates.flops / ceiling.flops, rates.bytes / ceiling.bytes)
    return row


def unit_times(seconds: tuple[float, ...], units: int) -> Row:
    """Returns the median, least and largest milliseconds per unit, from seconds per call."""
    milliseconds = [1e3 * value / units for value in seconds]
    return {
        "time_ms": statistics.median(milliseconds),
        "low": min(milliseconds),
        "high": max(milliseconds),
    }


def _key_columns(part: str, case: Case) -> Row:
    return {"part": part, "variant": case.variant, "size": case.size, "lanes": case.lanes}


def _reason_not_to_time(prepared: Prepared, expected_seconds: float, sizes: Sizes) -> str:
    if prepared.device_bytes > bytes_usable():
        return "does not fit in memory"
    too_long = expected_seconds > sizes.max_seconds
    return f"not timed: about {expected_seconds:.0f} s" if too_long else ""
