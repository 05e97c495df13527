"""Benchmark: what every part costs, beside the device's own ceilings and beside a peer.

python -m experiments.benchmark [--quick] [--parts=objective,step] [--out=runs/benchmark]
python -m experiments.benchmark --compare=OLD.csv          # measures, then sets both side by side
python -m experiments.benchmark --compare=OLD.csv,NEW.csv  # measures nothing
python -m experiments.benchmark --config=experiments/configs/selection.py  # alone
"""

import dataclasses
import sys
from pathlib import Path

import jax
from absl import app, flags, logging
from rich.console import Console

from experiments.benchmark.measure_parts import EVERY, measure_parts
from experiments.benchmark.one_config import describe
from experiments.benchmark.output_figure import save_benchmark_figure
from experiments.benchmark.output_table import read_table, save_table, shown, side_by_side
from experiments.benchmark.sizes import ACCELERATOR, CPU, QUICK
from experiments.runtime.checks import require_known
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import use_every_core
from experiments.sweep.plan import make_plan

WIDTH = 150  # of the table, in letters

_PARTS = flags.DEFINE_list("parts", list(EVERY), "what is measured beside the ceilings")
_QUICK = flags.DEFINE_bool("quick", False, "few and small sizes: a look, in minutes")
_SECONDS = flags.DEFINE_float("seconds", None, "a case is not timed if it takes longer", 0)
_OUT = flags.DEFINE_string("out", "runs/benchmark", "folder of benchmark.csv and benchmark.png")
_COMPARE = flags.DEFINE_list("compare", [], "a CSV to set beside this run, or two of them")


def main(argv: list[str]) -> None:
    """Prints one table, and writes it with its figure."""
    logging.set_verbosity(logging.WARNING)
    console = Console()
    console.width = max(console.width, WIDTH)
    try:
        if len(argv) > 1:
            raise ValueError(f"{argv[1]} is no option: --compare takes two files as A.csv,B.csv")
        names = require_known("parts", _PARTS.value, EVERY)
        others = [read_table(Path(file)) for file in _COMPARE.value]
        if len(others) > 2:
            raise ValueError(f"compare holds {len(others)} files: allowed are one or two")
        if CONFIG.value is not None:
            plan = make_plan(CONFIG.value)
            use_every_core()
            print(describe(plan))
            return
        if len(others) < 2:
            use_every_core()
            others.append(_measure(names, console))
        if len(others) == 2:
            console.print(shown(side_by_side(*others)))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def _measure(names: tuple[str, ...], console: Console):
    sizes = ACCELERATOR if jax.default_backend() != "cpu" else CPU
    sizes = QUICK if _QUICK.value else sizes
    if _SECONDS.value is not None:
        sizes = dataclasses.replace(sizes, seconds=_SECONDS.value)
    out = Path(_OUT.value)
    for table in measure_parts(names, sizes, console):
        save_table(table, out / "benchmark.csv")  # a failure later on loses no part before it
    save_benchmark_figure(table, out / "benchmark.png")
    console.print(shown(table))
    console.print(
        f"{out}/benchmark.csv, {out}/benchmark.png; {table.machine[0]}, jax {table.jax[0]}"
    )
    return table


if __name__ == "__main__":
    app.run(main, flags_parser=parse_flags)
