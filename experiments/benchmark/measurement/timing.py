"""Timing: programs are timed alternately, so that a drift in the machine's speed affects all."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

LONG_CALL = 1.0  # seconds; if the cold first call takes longer, a repeat is one call


class Program(NamedTuple):
    """A function that is called repeatedly, each time with the result of the previous call.

    initial: argument of the first call; a call may donate its argument.
    """

    call: Callable[[Any], Any]
    initial: Any = None


def measure(
    programs: Mapping[str, Program],
    repeats: int,
    repeat_seconds: float,
    report: Callable[[float], object] = lambda seconds: None,
) -> dict[str, tuple[float, ...]]:
    """Returns seconds per call of every program, one value per repeat.

    The programs take turns. A repeat is as many calls as take `repeat_seconds`; calls before the
    first repeat warm up. `report` is called with seconds per call after each repeat.
    """
    states = {name: program.initial for name, program in programs.items()}
    counts, times = {}, {name: () for name in programs}
    for name, program in programs.items():
        states[name], counts[name] = _calls_per_repeat(
            program.call, states.pop(name), repeat_seconds
        )
    for _ in range(repeats):
        for name, program in programs.items():
            states[name], seconds = _timed(program.call, states.pop(name), counts[name])
            times[name] += (seconds / counts[name],)
            report(times[name][-1])
    return times


def _calls_per_repeat(call, state, repeat_seconds) -> tuple[Any, int]:
    state, seconds = _timed(call, state, 1)
    if seconds >= max(LONG_CALL, repeat_seconds):
        return state, 1
    count = 1
    while True:
        state, seconds = _timed(call, state, count)
        if seconds >= repeat_seconds:
            return state, count
        count = math.ceil(count * min(10, 1.2 * repeat_seconds / seconds))


def _timed(call, state, count) -> tuple[Any, float]:
    start = time.perf_counter()
    for _ in range(count):
        state = jax.block_until_ready(call(state))
    return state, time.perf_counter() - start
