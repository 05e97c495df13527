"""Run tables: the command line of commands that put several runs into one table and figure."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from experiments.report.terminal_tables import frame_columns, print_table
from experiments.rundir.results import DIGITS
from experiments.runtime.user_errors import user_errors
from lvm.files.atomic import write_atomically


def run_table_command(
    name: str,
    description: str,
    make_table: Callable[[Sequence[Path]], pd.DataFrame],
    draw: Callable[[pd.DataFrame, Path], None],
) -> None:
    """Prints the table of the run directories on the command line; writes table and figure.

    Exits with the message of an OSError or ValueError.
    """
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("directories", type=Path, nargs="+", help="run directories")
    parser.add_argument("--table", type=Path, help="path of the table, as CSV")
    parser.add_argument("--figure", type=Path, help="path of the heat maps, as PNG and as PDF")
    options = parser.parse_args()
    with user_errors():
        table = make_table(options.directories)
        print_table(Console(), frame_columns(table))
        if options.table:
            write_atomically(options.table, table.to_csv(index=False, float_format=DIGITS))
        if options.figure:
            draw(table, options.figure)
            print(f"figure: {options.figure}")
