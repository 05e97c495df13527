"""Mention rates: audits the captions of a run, predicts what is kept, and scores the lanes.

misalign run mention_rates:cards --workdir=runs/cards --config.world.data=set_cards_labelled.zip
misalign studies.mention_rates runs/cards --table=scores.csv --figure=mention_rates.png
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from experiments.report.terminal_tables import frame_columns, print_table
from experiments.rundir.results import DIGITS
from experiments.runtime.devices import enable_compilation_cache, fix_numeric_settings
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from experiments.studies.mention_rates.comparison import cells, correlation_columns, correlations
from experiments.studies.mention_rates.mention_figure import save_mention_rates
from experiments.studies.mention_rates.mention_table import check_run, run_table
from lvm.files.atomic import write_atomically


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(
        prog="misalign studies.mention_rates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directories", type=Path, nargs="+", help="run directories")
    parser.add_argument("--captions", type=int, default=20_000, help="number for each lane")
    parser.add_argument("--table", type=Path, help="path of the table, as CSV")
    parser.add_argument("--figure", type=Path, help="path of the figure, as PNG and as PDF")
    options = parser.parse_args(arguments)
    with user_errors():
        study(options, Console(markup=False))


def study(options: argparse.Namespace, console: Console) -> None:
    """Prints mean scores and rank correlations of the runs; writes the table and the figure.

    Caption files are written to the run directories, once all of these are checked.
    """
    check_options(options)
    plans = {directory: check_run(directory) for directory in options.directories}
    fix_numeric_settings()
    enable_compilation_cache()
    with progress(console) as show:
        table = pd.concat(
            run_table(
                directory,
                plan,
                options.captions,
                lambda fraction, name=directory.name: show(name, fraction, ""),
            )
            for directory, plan in plans.items()
        )
    print_table(console, frame_columns(cells(table)), keys=4)
    console.print()
    print_table(console, correlation_columns(correlations(table)), keys=3)
    if options.table:
        write_atomically(options.table, table.to_csv(index=False, float_format=DIGITS))
        console.print(f"table: {options.table}", highlight=False, soft_wrap=True)
    if options.figure:
        save_mention_rates(table, options.figure)
        console.print(f"figure: {options.figure}", highlight=False, soft_wrap=True)


def check_options(options: argparse.Namespace) -> None:
    """Raises ValueError for outputs of another kind, no captions, and runs of the same name."""
    for flag, path, suffix in (
        ("table", options.table, ".csv"),
        ("figure", options.figure, ".png"),
    ):
        if path is not None and path.suffix != suffix:
            raise ValueError(f"--{flag} is {path}: allowed is a path that ends in {suffix}")
    if options.captions < 1:
        raise ValueError(f"--captions is {options.captions}: allowed is 1 or more")
    names = [directory.name for directory in options.directories]
    if len(set(names)) < len(names):
        raise ValueError(f"runs are named {', '.join(names)}: allowed are different names")


if __name__ == "__main__":
    main()
