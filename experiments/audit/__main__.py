"""Audit: how often captions mention each group of concepts, and how often wrongly.

python -m experiments.audit --captions captions.txt
python -m experiments.audit --captions captions.txt --concepts paper --scores zero_shot.csv
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from experiments.audit.advice import advice
from experiments.audit.concepts import Concepts, shared_words
from experiments.audit.counting import Counts, count_all
from experiments.audit.group_statistics import omitted_values
from experiments.audit.inputs.caption_files import (
    caption_files,
    check_caption_files,
    read_all_captions,
)
from experiments.audit.inputs.concept_tables import read_concepts, read_labels
from experiments.audit.outputs import plan_outputs, write_outputs
from experiments.audit.rate_tables import terminal_columns
from experiments.audit.rates import GroupRates, compute_rates
from experiments.audit.scores.score_join import correlations, join_scores
from experiments.audit.scores.score_table import read_scores
from experiments.audit.scores.score_text import correlation_columns, sentences
from experiments.audit.value_tables import statistics_columns
from experiments.report.terminal_tables import print_table
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors

SHIPPED_CONCEPTS = Path(__file__).parent / "concepts.csv"
PAPER_CONCEPTS = Path(__file__).parent / "paper_concepts.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the audit with command-line arguments."""
    parser = argparse.ArgumentParser(prog="python -m experiments.audit", description=__doc__)
    parser.add_argument(
        "--captions",
        type=Path,
        required=True,
        help="captions: a .txt, .tsv, .csv, .jsonl or .parquet file, or a folder of such files",
    )
    parser.add_argument(
        "--column",
        default="caption",
        help="name of the caption column or key; its number, from 1, if the columns have no names",
    )
    parser.add_argument(
        "--concepts",
        type=lambda name: PAPER_CONCEPTS if name == "paper" else Path(name),
        default=SHIPPED_CONCEPTS,
        help="table of concepts with the columns group, value and words, or: paper",
    )
    parser.add_argument(
        "--plurals", action="store_true", help="match the plurals of all words as well"
    )
    parser.add_argument(
        "--labels", type=Path, help="table of labels: one row per caption, one column per group"
    )
    parser.add_argument(
        "--scores", type=Path, help="table of scores of a model at concepts, from zero_shot"
    )
    parser.add_argument(
        "--out", type=Path, help="output table of groups, a .csv file; others are beside it"
    )
    parser.add_argument(
        "--figure", type=Path, help="output figure, a .png file; a .pdf is written beside it"
    )
    options = parser.parse_args(arguments)
    with user_errors():
        audit(options, Console(markup=False))


def audit(options: argparse.Namespace, console: Console) -> None:
    """Counts the captions, writes the requested outputs, prints the tables and the advice.

    Nothing is written before all captions are counted.
    """
    outputs = plan_outputs(options)
    concepts = read_concepts(options.concepts, options.plurals)
    unused, labels = read_labels(options.labels, concepts) if options.labels else ([], None)
    scores = read_scores(options.scores, concepts) if options.scores else None
    files = caption_files(options.captions)
    check_caption_files(files, options.column)
    with progress(console) as show:
        on_progress = lambda fraction: show("captions", fraction, "")
        captions = read_all_captions(files, options.column, on_progress)
        counts = count_all(concepts, captions, labels)
    rates = compute_rates(concepts, counts)
    joined = None if scores is None else join_scores(rates, counts.captions, scores)
    write_outputs(outputs, rates, counts.captions, joined)
    print_table(console, terminal_columns(rates))
    print_lines(console, [""])
    print_table(console, statistics_columns(rates))
    print_lines(console, ["", *notes(counts, len(files), unused), *concept_notes(concepts, rates)])
    print_lines(console, advice(rates, counts.captions))
    if joined is not None:
        found = correlations(joined)
        print_lines(console, [""])
        print_table(console, correlation_columns(found))
        print_lines(console, ["", *sentences(found, joined)])
    print_lines(console, [f"{kind}: {path}" for kind, path in outputs.named()])


def notes(counts: Counts, files: int, unused: Sequence[str]) -> list[str]:
    """Returns sentences with the number of captions and with everything that was left out.

    files:  number of files of captions.
    unused: label columns that match no concept group.
    """
    in_files = f" in {files:,} files" if files > 1 else ""
    empty = f" Empty captions, left out: {counts.empty:,}." if counts.empty else ""
    columns = ", ".join(map(repr, unused))
    return [
        f"{counts.captions:,} captions{in_files}.{empty}",
        *([f"Label columns that match no concept group, left out: {columns}."] if unused else []),
    ]


def concept_notes(concepts: Concepts, rates: Sequence[GroupRates]) -> list[str]:
    """Returns sentences with the words of several concepts and the concepts never mentioned."""
    shared = [
        f"{' and '.join(names)}: {', '.join(words)}"
        for names, words in shared_words(concepts).items()
    ]
    omitted = ", ".join(omitted_values(rates))
    return [
        *([f"Words that count for several concepts: {'; '.join(shared)}."] if shared else []),
        *([f"Concepts that no caption mentions: {omitted}."] if omitted else []),
    ]


def print_lines(console: Console, lines: Sequence[str]) -> None:
    """Prints lines without highlighting or breaking them."""
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
