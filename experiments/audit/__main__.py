"""Audit: what captions tell of each kind of concept, how often, and how truly.

python -m experiments.audit --captions captions.txt
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from experiments.audit.advice import advice
from experiments.audit.counting import Counts, count_all
from experiments.audit.inputs import read_captions, read_concepts, read_labels
from experiments.audit.rate_bars import save_bars
from experiments.audit.rate_tables import as_csv, shown, tidy
from experiments.audit.rates import rates
from experiments.runtime.progress import progress
from lvm.files.atomic import write_atomically

SHIPPED_CONCEPTS = Path(__file__).parent / "concepts.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.audit", description=__doc__)
    parser.add_argument("--captions", type=Path, required=True, help="a .txt, .tsv, .csv or .jsonl")
    parser.add_argument("--column", default="caption", help="a name, or a number where none is")
    parser.add_argument(
        "--concepts", type=Path, default=SHIPPED_CONCEPTS, help="group, value, words"
    )
    parser.add_argument("--labels", type=Path, help="a row a caption, a column a group")
    parser.add_argument("--out", type=Path, help="a .csv for the table")
    parser.add_argument("--figure", type=Path, help="a .png for the bars; a .pdf goes beside it")
    options = parser.parse_args(arguments)
    try:
        audit(options, Console(width=None if sys.stdout.isatty() else 160, markup=False))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: nothing was written")


def audit(options: argparse.Namespace, console: Console) -> None:
    """Prints the table and what it means; writes what is asked for once all is counted."""
    check_outputs(options)
    concepts = read_concepts(options.concepts)
    others, labels = read_labels(options.labels, concepts) if options.labels else ([], None)
    with progress(console) as show:
        seen = lambda share: show("captions", share, "")
        captions = read_captions(options.captions, options.column, seen)
        counts = count_all(concepts, captions, labels)
    found = rates(concepts, counts)
    if options.out:
        write_atomically(options.out, as_csv(tidy(found, counts.captions)))
    if options.figure:
        save_bars(found, counts.captions, options.figure)
    console.print(shown(found), highlight=False)
    for line in ("", *notes(counts, others), *advice(found, counts.captions)):
        console.print(line, highlight=False, soft_wrap=True)
    for what, path in (("table", options.out), ("figure", options.figure)):
        if path:
            console.print(f"{what}: {path}", highlight=False, soft_wrap=True)


def notes(counts: Counts, others: Sequence[str]) -> list[str]:
    """How many captions there are, and what was left out."""
    empty = f" Empty ones, left out: {counts.empty:,}." if counts.empty else ""
    unused = ", ".join(map(repr, others))
    return [
        f"{counts.captions:,} captions.{empty}",
        *([f"Columns of labels that are no concept group, left out: {unused}."] if others else []),
    ]


def check_outputs(options: argparse.Namespace) -> None:
    """Raises ValueError for an output that cannot be written or would overwrite an input."""
    inputs = [path for path in (options.captions, options.concepts, options.labels) if path]
    for path, suffix in ((options.out, ".csv"), (options.figure, ".png")):
        if path is None:
            continue
        if path.suffix != suffix:
            raise ValueError(f"{path} does not end in {suffix}: choose another name")
        if not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
        if any(path.resolve() == given.resolve() for given in inputs):
            raise ValueError(f"{path} would overwrite what is read: choose another name")


if __name__ == "__main__":
    main()
