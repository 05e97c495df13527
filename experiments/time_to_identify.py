"""Time to identify: training time until every unbiased semantic is identified, for each lane.

misalign time_to_identify quickstart
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import pandas as pd
from absl import app, flags, logging
from rich.console import Console

from experiments.report.terminal_tables import Column, frame_columns, print_table
from experiments.rundir.lane_identity import Lane, unbiased_names
from experiments.rundir.results import MODALITIES
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import (
    fix_numeric_settings,
    gather,
    make_mesh,
    shard_lanes,
    use_every_core,
)
from experiments.runtime.progress import Show, progress
from experiments.runtime.user_errors import user_errors
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.plan import Plan, make_plan

IDENTIFIED = 0.95  # lowest score by the linear probe, from images and texts, of every semantic


class Identified(NamedTuple):
    """When a lane first had every unbiased semantic.

    steps: until then, None if it never had; seconds: of training of the whole sweep until then.
    """

    lane: Lane
    steps: int | None
    seconds: float | None


def identify(plan: Plan, show: Show) -> list[Identified]:
    """Trains all lanes together until each is identified, or to the last step.

    Seconds include training and monitor scores, not compilation. A lane stays in the sweep after it
    is identified, so seconds are those of a sweep of this size.
    """
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    shared = plan.domain.load(lambda fraction: show("reading data", fraction, ""))
    sweep = compile_sweep(plan, mesh, shared)
    state = shard_lanes(mesh, sweep.init(plan.data))
    data = shard_lanes(mesh, plan.data)
    for chunk in {min(plan.log_every, plan.steps), plan.steps % plan.log_every} - {0}:
        sweep.memory(chunk)  # compiles
    found: dict[int, Identified] = {}
    seconds, step = 0.0, 0
    while step < plan.steps and len(found) < len(plan.lanes):
        start = time.perf_counter()
        chunk = min(plan.log_every, plan.steps - step)
        state, advance = sweep.train(data, state, step, chunk)
        rows = _monitor_rows(plan, gather(jax.block_until_ready(advance)).monitor)
        seconds += time.perf_counter() - start
        step += chunk
        for number, (lane, row) in enumerate(zip(plan.lanes, rows, strict=True)):
            if number not in found and _least_kept(lane, row) >= IDENTIFIED:
                found[number] = Identified(lane, step, seconds)
        show("training", step / plan.steps, f"{len(found)} of {len(plan.lanes)} lanes identified")
    return [
        found.get(number, Identified(lane, None, None)) for number, lane in enumerate(plan.lanes)
    ]


def _monitor_rows(plan: Plan, stacked: Any) -> list[dict[str, float]]:
    """The columns of `history.csv` of every lane."""
    select = lambda number: jax.tree.map(lambda leaf: leaf[number], stacked)
    return [plan.domain.monitor_row(select(number)) for number in range(len(plan.lanes))]


def _least_kept(lane: Lane, row: dict[str, float]) -> float:
    """The lowest score of an unbiased semantic, over both modalities."""
    names = unbiased_names(lane.selected, lane.perturbable)
    return min(row[f"{modality}_{name}"] for modality in MODALITIES for name in names)


def identified_table(found: Sequence[Identified]) -> pd.DataFrame:
    """Returns one row per lane: setting, law, seed, steps and seconds; empty if not identified."""
    return pd.DataFrame(
        {
            "setting": entry.lane.setting,
            "dependence": entry.lane.dependence,
            "noise_law": entry.lane.noise_law,
            "seed": entry.lane.seed,
            "steps": entry.steps,
            "seconds": entry.seconds,
        }
        for entry in found
    ).astype({"steps": "Int64", "seconds": float})


def table_columns(table: pd.DataFrame) -> list[Column]:
    """Returns the columns of `identified_table` for the terminal."""
    steps = ["never" if pd.isna(value) else str(value) for value in table.steps]
    seconds = ["never" if pd.isna(value) else f"{value:.1f}" for value in table.seconds]
    lane_columns = frame_columns(table.drop(columns=["steps", "seconds"]))
    return [*lane_columns, Column("steps", steps, False), Column("seconds", seconds, False)]


def main(argv: list[str]) -> None:
    """Runs the command line: prints the table and when the last lane was identified."""
    del argv
    logging.set_verbosity(logging.WARNING)
    console = Console()
    with user_errors():
        plan = make_plan(CONFIG.value)
        fix_numeric_settings()
        use_every_core()
        with progress(console) as show:
            table = identified_table(identify(plan, show))
    print_table(console, table_columns(table), keys=4)
    rows = table.dropna()
    if rows.empty:
        print(f"no lane was identified in {plan.steps} steps")
        return
    print(
        f"{len(rows)} of {len(table)} lanes identified, the last after {rows.steps.max()} steps, "
        f"{rows.seconds.max():.0f} s; {rows.seconds.max() / len(table):.2f} s per lane; "
        f"{jax.device_count()} x {jax.devices()[0].device_kind}, jax {jax.__version__}"
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
