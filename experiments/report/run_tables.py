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


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Returns the table in a CSV file; raises ValueError if it lacks one of the columns."""
    try:
        table = pd.read_csv(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CSV: {error}") from None
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}: allowed is a file of --table")
    return table


def run_table_command(
    name: str,
    description: str,
    make_table: Callable[[Sequence[Path]], pd.DataFrame],
    draw: Callable[[pd.DataFrame, Path], None],
    *,
    columns: Sequence[str],
) -> None:
    """Prints the table of the run directories on the command line; writes table and figure.

    In place of directories, a table that --table wrote can be given; `columns` are those that the
    figure needs. Exits with the message of an OSError or ValueError.
    """
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("directories", type=Path, nargs="+", help="run directories, or a table")
    parser.add_argument("--table", type=Path, help="path of the table, as CSV")
    parser.add_argument(
        "--figure", type=Path, help="path of the figure: PNG, beside it PDF and SVG"
    )
    options = parser.parse_args()
    with user_errors():
        first, *others = options.directories
        is_table = not others and first.suffix == ".csv" and first.is_file()
        table = read_table(first, columns) if is_table else make_table(options.directories)
        print_table(Console(), frame_columns(table))
        if options.table:
            write_atomically(options.table, table.to_csv(index=False, float_format=DIGITS))
        if options.figure:
            draw(table, options.figure)
            print(f"figure: {options.figure}")
