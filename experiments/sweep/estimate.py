"""Estimate: lanes, blocks, memory and time of a sweep, from a short measurement."""

import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import jax

from experiments.domains.domain import Shared
from experiments.runtime.devices import bytes_usable, make_mesh, shard_lanes
from experiments.sweep.blocks import Block, split_block
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.plan import Plan, select_lanes

SHORT, LONG = 10, 30  # steps that are measured; their difference is without the monitor scores


class Measured(NamedTuple):
    """Lanes that fit in memory together, and what their training takes.

    needed:     bytes on each device.
    devices:    their number.
    per_step, per_monitoring: seconds of a training step, and of the monitor scores.
    """

    lanes: int
    needed: int
    devices: int
    per_step: float
    per_monitoring: float


def estimate_lines(plan: Plan, shared: Shared, blocks: Sequence[Block]) -> list[str]:
    """Returns lines on the lanes of blocks, their memory and the time of their training.

    Blocks with as many lanes and steps are measured once, with a program of few steps. A block that
    does not fit in memory is divided, as a run divides it.
    """
    remaining = sum(len(block.lanes) for block in blocks)
    lines, total = [f"lanes: {remaining} to run of {len(plan.lanes)}"], 0.0
    measure = cache(lambda count, number: _measure(_lanes_from(plan, number, count), shared))
    first: dict[tuple[int, int], int] = {}
    for block in blocks:
        end = plan.lane_steps[block.lanes[0]]
        number = first.setdefault((len(block.lanes), end), block.lanes[0])
        measured = measure(len(block.lanes), number)
        begin = 0 if block.source is None else block.source.step
        monitored = (end - begin) / plan.log_every
        seconds = (end - begin) * measured.per_step + monitored * measured.per_monitoring
        for part in split_block(block, measured.lanes):
            total += seconds
            lines.append(
                f"block: lanes {part.lanes[0]}-{part.lanes[-1]}, steps {begin} to {end}: "
                f"{_duration(seconds)}, {1000 * measured.per_step:.3g} ms per step; "
                f"{_megabytes(measured.needed)} of {_megabytes(bytes_usable())} usable on each of "
                f"{measured.devices} devices"
            )
    return [*lines, f"training: about {_duration(total)}, without compilation and scoring"]


def _lanes_from(plan: Plan, number: int, count: int) -> Plan:
    return select_lanes(plan, range(number, number + count))


def _measure(plan: Plan, shared: Shared) -> Measured:
    """Measures the lanes of a block, or as many of them as fit in memory."""
    count = len(plan.lanes)
    mesh = make_mesh(count, plan.devices_per_lane)
    sweep = compile_sweep(plan, mesh, shared)
    needed = sweep.memory(LONG)
    fitting = max(1, int(count * min(1, bytes_usable() / needed)))
    if fitting < count:
        return _measure(_lanes_from(plan, 0, fitting), shared)
    sweep.memory(SHORT)  # compiles it
    data, state = shard_lanes(mesh, (plan.data, sweep.init(plan.data)))
    durations = []
    for steps in (LONG, SHORT, LONG):  # the first one warms up
        begin = time.perf_counter()
        state, _ = jax.block_until_ready(sweep.train(data, state, 0, steps))
        durations.append(time.perf_counter() - begin)
    _, short, long = durations
    per_step = max(long - short, 0.1 * long) / (LONG - SHORT)
    per_monitoring = max(short - SHORT * per_step, 0.0)
    return Measured(count, needed, mesh.devices.size, per_step, per_monitoring)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"
