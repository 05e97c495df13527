"""Step ladders: training steps against lanes, and as a fraction of the device's ceilings."""

import time
from collections.abc import Iterator, Mapping

import jax

from experiments.benchmark import steps as step_cases
from experiments.benchmark.accelerator.device_check import read_ceilings
from experiments.benchmark.accelerator.part_task import (
    NO_TIME,
    PartTask,
    peak_mib,
    seconds_left,
    verdict,
)
from experiments.benchmark.measurement.cases import Case, Row, measure_ladder
from experiments.sweep.plan import make_plan

FLAT = 1.2  # largest ratio of two times per lane-step that count as equal
FRACTION = 0.4  # of the ceiling that a step by `paper` aims for
PRECISIONS = "bfloat16", "tf32", "float32"  # the fastest first


def fast_lanes(task: PartTask) -> None:
    """Records a step by `fast` against lanes, and the range in which a lane-step takes as long."""
    lanes, timed = task.sizes.lanes, {}
    configs = [step_cases.numeric_config(count, "fast", **task.sizes.recipe) for count in lanes]
    cases = step_cases.shared_state_ladder("fast", configs)
    for row in _measure(task, {f"fast, {case.lanes} lanes": case for case in cases}):
        if "time_ms" in row:
            timed[row["lanes"]] = row["time_ms"]
            first, last = flat_range(timed)
            note = f"number of lanes within {FLAT} times the shortest lane-step"
            task.record("flat from", value=first, note=note)
            task.record("flat to", value=last, note=note)
    if {32, 512} <= timed.keys():
        times = [time_ms for count, time_ms in timed.items() if 32 <= count <= 512]
        ratio = max(times) / min(times)
        columns = verdict(ratio, FLAT, met=ratio <= FLAT)
        task.record("longest over shortest lane-step, 32 to 512 lanes", **columns)


def flat_range(times: Mapping[int, float]) -> tuple[int, int]:
    """Returns the least and the largest number of lanes around the shortest lane-step within FLAT.

    times: milliseconds per lane-step by number of lanes. Every number between the two has a time
    of at most FLAT times the shortest one.
    """
    shortest = min(times, key=times.get)
    too_long = [lanes for lanes, time_ms in times.items() if time_ms > FLAT * times[shortest]]
    below = max((lanes for lanes in too_long if lanes < shortest), default=0)
    above = min((lanes for lanes in too_long if lanes > shortest), default=max(times) + 1)
    flat = [lanes for lanes in times if below < lanes < above]
    return min(flat), max(flat)


def large_steps(task: PartTask) -> None:
    """Records steps by `paper` in every precision, and a step of the image encoders.

    The value of a step by `paper` is the fraction of the device's ceiling of matrix products in
    the same precision.
    """
    ceilings = read_ceilings(task.out)
    for precision in PRECISIONS:
        for row in _measure(task, _paper_cases(task, precision)):
            if "gflops" in row and precision in ceilings:
                fraction = row["gflops"] / ceilings[precision]
                columns = verdict(fraction, FRACTION, met=fraction >= FRACTION)
                name = f"{_paper_name(row['lanes'], precision)}: fraction of the ceiling"
                task.record(name, **columns)
    for _ in _measure(task, _image_cases(task)):
        pass


def _paper_cases(task: PartTask, precision: str) -> dict[str, Case]:
    changes = {**task.sizes.recipe, "precision": precision}
    configs = [
        step_cases.numeric_config(lanes, "paper", **changes) for lanes in task.sizes.paper_lanes
    ]
    cases = step_cases.shared_state_ladder("paper", configs, steps=1)
    return {_paper_name(case.lanes, precision): case for case in cases}


def _paper_name(lanes: int, precision: str) -> str:
    return f"paper, {precision}, {lanes} lanes"


def _image_cases(task: PartTask) -> dict[str, Case]:
    name, configs = task.sizes.image_recipe, []
    for lanes in task.sizes.image_lanes:
        config = step_cases.image_config(lanes, name)
        config.update_from_flattened_dict(task.sizes.image_changes)
        configs.append(config)
    shared = make_plan(configs[0]).domain.load(lambda fraction: None)
    cases = step_cases.shared_state_ladder(name, configs, lambda: shared, steps=1)
    return {f"{name}, {case.lanes} lanes": case for case in cases}


def _measure(task: PartTask, cases: Mapping[str, Case]) -> Iterator[Row]:
    """Measures cases in turn, records and yields their rows.

    A case is left out if there is less time than the longest one before it has taken. A case that
    the device refuses has a note. The measured memory is recorded where it exceeds that of all
    cases before.
    """
    longest, peak = 0.0, peak_mib()
    for name, case in cases.items():
        if seconds_left(task) <= longest:
            task.record(name, note=NO_TIME)
            continue
        start, before = time.monotonic(), peak
        try:
            (row,) = measure_ladder(
                "step", [case], sizes=task.sizes.benchmark, ceilings={}, log=lambda line: None
            )
        except jax.errors.JaxRuntimeError as error:
            task.record(name, note=str(error).splitlines()[0])
            continue
        longest, peak = max(longest, time.monotonic() - start), peak_mib()
        if peak > before:
            row["measured_mib"] = peak
        task.record(name, **row)
        yield row
