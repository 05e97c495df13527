"""Identification: how long training takes until every kept semantic is there, a lane and in all.

python -m experiments.time_to_identify --config=experiments/configs/quickstart.py
"""

import sys
import time
from typing import Any, NamedTuple

import jax
import pandas as pd
from absl import app, flags, logging
from rich.console import Console

from experiments.rundir.results import MODALITIES, unbiased_names
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import make_mesh, on_devices, on_host, use_every_core
from experiments.runtime.progress import Show, progress
from experiments.sweep.compiled import make_sweep
from experiments.sweep.plan import Plan, make_plan
from experiments.sweep.settings import Lane

IDENTIFIED = 0.95  # score of the linear probe, of images and of texts, from which on it is


class Identified(NamedTuple):
    """When a lane had every kept semantic for the first time.

    steps: until then, None if it never had; seconds: of training the whole sweep so far.
    """

    lane: Lane
    steps: int | None
    seconds: float | None


def identify(plan: Plan, show: Show) -> list[Identified]:
    """Trains all lanes side by side until each has been identified, or to the last step.

    Seconds are those of training and of the glances in between, without compilation. A lane stays
    in the sweep after it is identified, so that seconds are those of a sweep of this size.
    """
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = make_sweep(plan, mesh, plan.domain.load(lambda share: show("reading data", share, "")))
    state = on_devices(mesh, sweep.init(plan.data))
    data = on_devices(mesh, plan.data)
    for chunk in {min(plan.log_every, plan.steps), plan.steps % plan.log_every} - {0}:
        sweep.memory(chunk)  # compiles
    found: dict[int, Identified] = {}
    seconds, step = 0.0, 0
    while step < plan.steps and len(found) < len(plan.lanes):
        start = time.perf_counter()
        chunk = min(plan.log_every, plan.steps - step)
        state, advance = sweep.train(data, state, step, chunk)
        glances = _glances(plan, on_host(jax.block_until_ready(advance)).glance)
        seconds += time.perf_counter() - start
        step += chunk
        for place, (lane, row) in enumerate(zip(plan.lanes, glances, strict=True)):
            if place not in found and _least_kept(lane, row) >= IDENTIFIED:
                found[place] = Identified(lane, step, seconds)
        show("training", step / plan.steps, f"{len(found)} of {len(plan.lanes)} lanes identified")
    return [found.get(place, Identified(lane, None, None)) for place, lane in enumerate(plan.lanes)]


def _glances(plan: Plan, stacked: Any) -> list[dict[str, float]]:
    """The columns of `history.csv` of every lane."""
    of_lane = lambda place: jax.tree.map(lambda leaf: leaf[place], stacked)
    return [plan.domain.glance_row(of_lane(place)) for place in range(len(plan.lanes))]


def _least_kept(lane: Lane, row: dict[str, float]) -> float:
    """The lowest score of an unbiased semantic, over both modalities."""
    kept = unbiased_names(lane.selected, lane.perturbable)
    return min(row[f"{modality}_{name}"] for modality in MODALITIES for name in kept)


def table(found: list[Identified]) -> pd.DataFrame:
    """A row a lane: setting, law, seed, steps and seconds, empty where it was never identified."""
    return pd.DataFrame(
        {
            "setting": one.lane.setting,
            "dependence": one.lane.dependence,
            "seed": one.lane.seed,
            "steps": one.steps,
            "seconds": one.seconds,
        }
        for one in found
    ).astype({"steps": "Int64", "seconds": float})


def main(argv: list[str]) -> None:
    """Prints the table and when the last lane was identified."""
    del argv
    logging.set_verbosity(logging.WARNING)
    console = Console()
    try:
        plan = make_plan(CONFIG.value)
        use_every_core()
        with progress(console) as show:
            rows = table(identify(plan, show))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(rows.to_string(index=False, float_format="%.1f", na_rep="never"))
    there = rows.dropna()
    if there.empty:
        print(f"no lane was identified in {plan.steps} steps")
        return
    print(
        f"{len(there)} of {len(rows)} lanes identified, the last after {there.steps.max()} steps, "
        f"{there.seconds.max():.0f} s; {there.seconds.max() / len(rows):.2f} s a lane; "
        f"{jax.device_count()} x {jax.devices()[0].device_kind}, jax {jax.__version__}"
    )


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
