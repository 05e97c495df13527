"""Benchmark: the cost of every part, compared with the device's ceilings and with PyTorch.

python -m experiments.benchmark [--quick] [--parts=objective,step] [--out=runs/benchmark]
python -m experiments.benchmark --compare=OLD.csv          # measures, then compares with OLD.csv
python -m experiments.benchmark --compare=OLD.csv,NEW.csv  # compares two files, measures nothing
python -m experiments.benchmark --parts=reference --reference=FOLDER  # beside the authors' code
python -m experiments.benchmark --draw=FILE.csv            # draws its figure, measures nothing
python -m experiments.benchmark --config=experiments/configs/selection.py  # one config only
"""

import dataclasses
from functools import partial
from pathlib import Path

import jax
from absl import app, flags, logging
from rich.console import Console

from experiments.benchmark.measure_parts import ALL_PARTS, measure_parts
from experiments.benchmark.one_config import describe
from experiments.benchmark.output_figure import save_benchmark_figure
from experiments.benchmark.output_table import (
    read_table,
    save_table,
    side_by_side,
    terminal_columns,
)
from experiments.benchmark.reference.reference_comparison import PART as REFERENCE
from experiments.benchmark.reference.reference_folder import check_reference
from experiments.benchmark.sizes import ACCELERATOR, CPU, QUICK
from experiments.report.terminal_tables import print_table
from experiments.runtime.checks import require_known
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import use_every_core
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from experiments.sweep.plan import make_plan

KEYS = 2  # columns that every part of a wide table repeats: part and variant

_PARTS = flags.DEFINE_list(
    "parts", list(ALL_PARTS), "parts to measure, in addition to the ceilings"
)
_QUICK = flags.DEFINE_bool("quick", False, "measure few and small sizes, in minutes")
_SECONDS = flags.DEFINE_float("seconds", None, "do not time a case that takes longer", 0)
_OUT = flags.DEFINE_string("out", "runs/benchmark", "folder of benchmark.csv and benchmark.png")
_REFERENCE = flags.DEFINE_string("reference", None, "folder of the authors' code, to compare with")
_DRAW = flags.DEFINE_string("draw", None, "a CSV whose figure is drawn beside it")
_COMPARE = flags.DEFINE_list("compare", [], "a CSV to compare with this run, or two CSVs")


def main(argv: list[str]) -> None:
    """Measures what the flags select, prints one table, and writes it with its figure."""
    logging.set_verbosity(logging.WARNING)
    console = Console()
    with user_errors():
        if len(argv) > 1:
            raise ValueError(f"{argv[1]} is not a flag: --compare takes two files as A.csv,B.csv")
        if _DRAW.value is not None:
            path = Path(_DRAW.value)
            save_benchmark_figure(read_table(path), path.with_suffix(".png"))
            console.print(f"figure: {path.with_suffix('.png')}", soft_wrap=True)
            return
        names = require_known("parts", _PARTS.value, (*ALL_PARTS, REFERENCE))
        _check_reference(names)
        tables = [read_table(Path(file)) for file in _COMPARE.value]
        if len(tables) > 2:
            raise ValueError(f"compare holds {len(tables)} files: allowed is one or two")
        if CONFIG.value is not None:
            plan = make_plan(CONFIG.value)
            use_every_core()
            say = partial(console.print, highlight=False, markup=False, soft_wrap=True)
            with progress(console) as show:
                lines = describe(plan, show, say)
            say(lines)
            return
        if len(tables) < 2:
            use_every_core()
            tables.append(_measure(names, console))
        if len(tables) == 2:
            print_table(console, terminal_columns(side_by_side(*tables)), KEYS)


def _check_reference(names: tuple[str, ...]) -> None:
    if _REFERENCE.value is not None:
        check_reference(Path(_REFERENCE.value))
    elif REFERENCE in names:
        raise ValueError("reference is missing: give the folder of the authors' code")


def _measure(names: tuple[str, ...], console: Console):
    sizes = ACCELERATOR if jax.default_backend() != "cpu" else CPU
    sizes = QUICK if _QUICK.value else sizes
    if _SECONDS.value is not None:
        sizes = dataclasses.replace(sizes, max_seconds=_SECONDS.value)
    out = Path(_OUT.value)
    reference = None if _REFERENCE.value is None else Path(_REFERENCE.value)
    parts = [name for name in names if name != REFERENCE]
    for table in measure_parts(parts, sizes, console, reference):
        save_table(table, out / "benchmark.csv")  # after each part, so a failure loses one part
    save_benchmark_figure(table, out / "benchmark.png")
    print_table(console, terminal_columns(table), KEYS)
    files = f"{out}/benchmark.csv, {out}/benchmark.png"
    console.print(f"{files}; {table.machine[0]}, jax {table.jax[0]}", soft_wrap=True)
    return table


if __name__ == "__main__":
    app.run(main, flags_parser=parse_flags)
