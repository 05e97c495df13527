"""Timing: programs that take turns, so that a machine whose speed drifts slows all of them."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

WARM = 1.0  # seconds of a first call from which on it tells how long a call takes


class Program(NamedTuple):
    """What is called again and again: (what the last call gave) -> what this one gives.

    first: what the first call gets; a call may use up what it gets.
    """

    call: Callable[[Any], Any]
    first: Any = None


def measure(
    programs: Mapping[str, Program], repeats: int, least: float
) -> dict[str, tuple[float, ...]]:
    """Seconds a call of every program, a value a repeat; the programs take turns.

    A repeat is as many calls as take `least` seconds. Calls come warm: some were made before.
    """
    states = {name: program.first for name, program in programs.items()}
    counts, times = {}, {name: () for name in programs}
    for name, program in programs.items():
        states[name], counts[name] = _calls_a_repeat(program.call, states.pop(name), least)
    for _ in range(repeats):
        for name, program in programs.items():
            states[name], seconds = _timed(program.call, states.pop(name), counts[name])
            times[name] += (seconds / counts[name],)
    return times


def _calls_a_repeat(call, state, least) -> tuple[Any, int]:
    state, seconds = _timed(call, state, 1)
    if seconds >= max(WARM, least):
        return state, 1
    count = 1
    while True:
        state, seconds = _timed(call, state, count)
        if seconds >= least:
            return state, count
        count = math.ceil(count * min(10, 1.2 * least / seconds))


def _timed(call, state, count) -> tuple[Any, float]:
    start = time.perf_counter()
    for _ in range(count):
        state = jax.block_until_ready(call(state))
    return state, time.perf_counter() - start
