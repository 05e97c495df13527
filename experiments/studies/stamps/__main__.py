"""Stamps: audits captions in many languages, and nearest neighbours of their pictures.

misalign studies.stamps /usr/share/tuxpaint/stamps --out=stamps
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.audit.__main__ import SHIPPED_CONCEPTS, print_lines
from experiments.audit.counting import NO_LABEL, count
from experiments.audit.inputs.concept_tables import read_concepts
from experiments.audit.rate_tables import as_csv, terminal_columns, tidy_table
from experiments.audit.rates import GroupRates, compute_rates
from experiments.audit.value_tables import value_table
from experiments.report.terminal_tables import frame_columns, print_table
from experiments.runtime.progress import progress
from experiments.runtime.user_errors import user_errors
from experiments.studies.stamps.picture_colours import dominant_colours
from experiments.studies.stamps.shared_neighbours import neighbour_table
from experiments.studies.stamps.stamp_figure import save_stamp_figure
from experiments.studies.stamps.translations import ALL, language_table, mention_table, read_words
from lvm.datasets.stamps import ENGLISH, Stamps, read_stamps
from lvm.files.atomic import write_atomically

SIDE = 32  # pixels
SHOWN = 12  # languages and skipped files that are printed
COLOUR = "colour"  # group of concepts with labels


def audit_english(stamps: Stamps) -> list[GroupRates]:
    """Returns the rates of the shipped concepts; the label of colour is the dominant one."""
    concepts = read_concepts(SHIPPED_CONCEPTS)
    group = concepts.groups.index(COLOUR)
    labels = np.full((len(stamps.names), len(concepts.groups)), NO_LABEL)
    labels[:, group] = [
        concepts.labels[group].get(colour, NO_LABEL) for colour in dominant_colours(stamps.pictures)
    ]
    return compute_rates(concepts, count(concepts, stamps.captions[ENGLISH], labels))


def study(folder: Path, out: Path, console: Console) -> None:
    """Reads the stamps, writes all tables and the figure to `out`, and prints a part of them."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out is {out}: allowed is a folder, or a new path")
    words = read_words()
    with progress(console) as show:
        stamps = read_stamps(folder, SIDE, lambda fraction: show("pictures", fraction, ""))
        neighbours = neighbour_table(
            stamps,
            np.random.default_rng(0),
            show=lambda fraction: show("neighbours", fraction, ""),
        )
    rates = audit_english(stamps)
    tables = {
        "audit": tidy_table(rates, len(stamps.names)),
        "audit_concepts": value_table(rates, len(stamps.names)),
        "languages": language_table(stamps.captions, words),
        "mentions": mention_table(stamps.captions, words),
        "neighbours": neighbours,
    }
    for name, table in tables.items():
        write_atomically(out / f"{name}.csv", as_csv(table))
    save_stamp_figure(tables["languages"], tables["mentions"], neighbours, out / "stamps.png")
    _print(console, stamps, rates, tables)
    print_lines(console, ["", f"tables and figure: {out}"])


def _print(
    console: Console, stamps: Stamps, rates: list[GroupRates], tables: dict[str, pd.DataFrame]
) -> None:
    pictures, languages = len(stamps.names), len(stamps.captions)
    print_lines(console, [f"{pictures} pictures, captions in {languages} languages."])
    if stamps.skipped:
        print_lines(console, [f"{len(stamps.skipped)} not read:", *stamps.skipped[:SHOWN]])
    if len(stamps.skipped) > SHOWN:
        print_lines(console, [f"and {len(stamps.skipped) - SHOWN} more"])
    mentions = tables["mentions"]
    for table in (
        terminal_columns(rates),
        frame_columns(tables["languages"].head(SHOWN)),
        frame_columns(mentions[mentions.concept == ALL].drop(columns="concept")),
        frame_columns(tables["neighbours"]),
    ):
        print_lines(console, [""])
        print_table(console, table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign studies.stamps", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of stamps, in Tux Paint's layout")
    parser.add_argument("--out", type=Path, required=True, help="folder of tables and figure")
    options = parser.parse_args(arguments)
    with user_errors():
        study(options.folder, options.out, Console(markup=False))


if __name__ == "__main__":
    main()
