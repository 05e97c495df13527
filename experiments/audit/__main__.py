"""Audit: how often captions mention each group of concepts, and how often wrongly.

python -m experiments.audit --captions captions.txt
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from experiments.audit.advice import advice
from experiments.audit.counting import Counts, count_all
from experiments.audit.inputs import read_captions, read_concepts, read_labels
from experiments.audit.rate_bars import save_bars
from experiments.audit.rate_tables import as_csv, terminal_columns, tidy_table
from experiments.audit.rates import compute_rates
from experiments.report.terminal_tables import print_table
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from lvm.files.atomic import write_atomically

SHIPPED_CONCEPTS = Path(__file__).parent / "concepts.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the audit with command-line arguments."""
    parser = argparse.ArgumentParser(prog="python -m experiments.audit", description=__doc__)
    parser.add_argument(
        "--captions", type=Path, required=True, help="captions: a .txt, .tsv, .csv or .jsonl file"
    )
    parser.add_argument(
        "--column",
        default="caption",
        help="name of the caption column or key; its number, from 1, if the columns have no names",
    )
    parser.add_argument(
        "--concepts",
        type=Path,
        default=SHIPPED_CONCEPTS,
        help="table of concepts with the columns group, value and words",
    )
    parser.add_argument(
        "--labels", type=Path, help="table of labels: one row per caption, one column per group"
    )
    parser.add_argument("--out", type=Path, help="output table, a .csv file")
    parser.add_argument(
        "--figure", type=Path, help="output figure, a .png file; a .pdf is written beside it"
    )
    options = parser.parse_args(arguments)
    with user_errors():
        audit(options, Console(markup=False))


def audit(options: argparse.Namespace, console: Console) -> None:
    """Counts the captions, writes the requested outputs, prints the table and the advice.

    Nothing is written before all captions are counted.
    """
    check_outputs(options)
    concepts = read_concepts(options.concepts)
    unused, labels = read_labels(options.labels, concepts) if options.labels else ([], None)
    with progress(console) as show:
        on_progress = lambda fraction: show("captions", fraction, "")
        captions = read_captions(options.captions, options.column, on_progress)
        counts = count_all(concepts, captions, labels)
    rates = compute_rates(concepts, counts)
    if options.out:
        write_atomically(options.out, as_csv(tidy_table(rates, counts.captions)))
    if options.figure:
        save_bars(rates, counts.captions, options.figure)
    print_table(console, terminal_columns(rates))
    for line in ("", *notes(counts, unused), *advice(rates, counts.captions)):
        console.print(line, highlight=False, soft_wrap=True)
    for output, path in (("table", options.out), ("figure", options.figure)):
        if path:
            console.print(f"{output}: {path}", highlight=False, soft_wrap=True)


def notes(counts: Counts, unused: Sequence[str]) -> list[str]:
    """Returns sentences with the number of captions and with everything that was left out.

    unused: label columns that match no concept group.
    """
    empty = f" Empty captions, left out: {counts.empty:,}." if counts.empty else ""
    columns = ", ".join(map(repr, unused))
    return [
        f"{counts.captions:,} captions.{empty}",
        *([f"Label columns that match no concept group, left out: {columns}."] if unused else []),
    ]


def check_outputs(options: argparse.Namespace) -> None:
    """Raises ValueError for an output that cannot be written or would overwrite an input."""
    inputs = [path for path in (options.captions, options.concepts, options.labels) if path]
    for flag, path, suffix in (
        ("--out", options.out, ".csv"),
        ("--figure", options.figure, ".png"),
    ):
        if path is None:
            continue
        if path.suffix != suffix:
            raise ValueError(f"{flag} is {path}: allowed is a path that ends in {suffix}")
        if not path.parent.is_dir():
            raise ValueError(f"{flag} is {path}: there is no folder {path.parent}; create it first")
        if any(path.resolve() == read.resolve() for read in inputs):
            raise ValueError(f"{flag} is {path}, which is an input: choose another path")


if __name__ == "__main__":
    main()
