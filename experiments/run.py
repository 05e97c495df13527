"""Run: trains and scores a sweep; the same command in the same directory goes on where it was.

python -m experiments.run --config=experiments/configs/quickstart.py [--workdir=runs/quickstart]
"""

import sys
from pathlib import Path

import jax
from absl import app, flags, logging
from ml_collections import config_flags
from rich.console import Console

from experiments import history
from experiments.checkpoints import open_checkpoints, restore
from experiments.command_line import CONFIG, parse_flags
from experiments.devices import use_every_core
from experiments.plan import Plan, make_plan
from experiments.progress import progress
from experiments.report import report
from experiments.rundir import claim, write_whole
from experiments.sweep import LaneState, Sweep, make_sweep
from experiments.tables import results_table

_WORKDIR = flags.DEFINE_string("workdir", None, "run directory; default is runs/CONFIG")


def run(plan: Plan, directory: Path, console: Console) -> None:
    """Trains and scores every lane of a plan in its run directory, then reports."""
    if not (directory / "results.csv").exists():
        sweep = make_sweep(plan)
        state = _train(plan, sweep, directory, console)
        results = results_table(plan, _score(plan, sweep, state, console))
        write_whole(directory / "results.csv", results.to_csv(index=False))
    report(directory, console)


def _train(plan: Plan, sweep: Sweep, directory: Path, console: Console) -> LaneState:
    """The trained lanes: from the newest checkpoint if there is one, else from the start."""
    state = sweep.init(plan.data)
    with open_checkpoints(directory) as checkpoints:
        step, state = restore(checkpoints, state)
        history.forget_after(directory, step)
        with progress(console, "training", step, plan.steps) as show:
            while step < plan.steps:
                chunk = min(plan.log_every - step % plan.log_every, plan.steps - step)
                state, metrics = sweep.train(plan.data, state, step, chunk)
                metrics = jax.device_get(metrics)
                step += chunk
                history.append(directory, plan, step, metrics)
                show(step, f"loss {metrics.loss.mean():.3f}")
                if step % plan.save_every < chunk or step == plan.steps:
                    checkpoints.save(step, state)
    return state


def _score(plan: Plan, sweep: Sweep, state: LaneState, console: Console) -> list:
    lanes = jax.device_get((plan.data, state))
    scores = []
    with progress(console, "scoring", 0, len(plan.lanes)) as show:
        for place in range(len(plan.lanes)):
            lane = jax.tree.map(lambda leaf, place=place: leaf[place], lanes)
            scores.append(jax.device_get(sweep.score(*lane)))
            show(place + 1, "")
    return scores


def main(argv: list[str]) -> None:
    """The command line: everything is checked before any work starts."""
    logging.set_verbosity(logging.WARNING)
    if len(argv) > 1:
        sys.exit(f"error: unexpected argument {argv[1]!r}")
    name = config_flags.get_config_filename(flags.FLAGS["config"])
    directory = Path(_WORKDIR.value or Path("runs") / Path(name).stem)
    try:
        config = CONFIG.value
        plan = make_plan(config)
        claim(directory, config)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    use_every_core()
    run(plan, directory, Console())


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
