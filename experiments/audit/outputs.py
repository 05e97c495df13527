"""Outputs: the paths of tables and figures of an audit, checked, and the writing of all of them."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.audit.rate_bars import save_bars
from experiments.audit.rate_tables import as_csv, tidy_table
from experiments.audit.rates import GroupRates
from experiments.audit.scores.score_scatter import save_scatter
from experiments.audit.value_tables import value_table
from experiments.report.figure_files import CAPTION
from lvm.files.atomic import write_atomically


class Outputs(NamedTuple):
    """Paths of tables and figures; None for one that is not requested."""

    groups: Path | None = None
    concepts: Path | None = None
    scores: Path | None = None
    bars: Path | None = None
    scatter: Path | None = None

    def named(self) -> Iterator[tuple[str, Path]]:
        """Yields the kind and path of each requested output."""
        kinds = ("table of groups", "table of concepts", "table of scores", "figure of groups",
                 "figure of scores")  # fmt: skip
        return ((kind, path) for kind, path in zip(kinds, self, strict=True) if path)


def plan_outputs(options: argparse.Namespace) -> Outputs:
    """Returns the outputs of an audit; those beside --out and --figure have a longer name.

    Raises ValueError for an output that cannot be written, would overwrite an input, or would be
    read as captions by the next audit.
    """
    table, figure = options.out, options.figure
    _check_path("--out", table, ".csv")
    _check_path("--figure", figure, ".png")
    outputs = Outputs(
        groups=table,
        concepts=_beside(table, "concepts"),
        scores=_beside(table, "scores") if options.scores else None,
        bars=figure,
        scatter=_beside(figure, "scores") if options.scores else None,
    )
    inputs = (options.captions, options.concepts, options.labels, options.scores)
    for kind, path in outputs.named():
        for read in filter(None, inputs):
            if read.resolve() in (path.resolve(), path.with_suffix(CAPTION).resolve()):
                raise ValueError(f"the {kind} is {path}, which is an input: choose another path")
        if options.captions.resolve() in path.resolve().parents:
            raise ValueError(
                f"the {kind} is {path}, in the folder of captions: choose another folder"
            )
    return outputs


def write_outputs(
    outputs: Outputs, rates: Sequence[GroupRates], captions: int, joined: pd.DataFrame | None
) -> None:
    """Writes the requested tables and figures.

    captions: number of captions.
    joined:   mention rates and scores, as from `join_scores`; None without scores.
    """
    if outputs.groups:
        write_atomically(outputs.groups, as_csv(tidy_table(rates, captions)))
        write_atomically(outputs.concepts, as_csv(value_table(rates, captions)))
    if outputs.scores:
        write_atomically(outputs.scores, as_csv(joined))
    if outputs.bars:
        save_bars(rates, captions, outputs.bars)
    if outputs.scatter:
        save_scatter(joined, captions, outputs.scatter)


def _check_path(flag: str, path: Path | None, suffix: str) -> None:
    if path is None:
        return
    if path.suffix != suffix:
        raise ValueError(f"{flag} is {path}: allowed is a path that ends in {suffix}")
    if not path.parent.is_dir():
        raise ValueError(f"{flag} is {path}: there is no folder {path.parent}; create it first")


def _beside(path: Path | None, content: str) -> Path | None:
    return path and path.with_name(f"{path.stem}_{content}{path.suffix}")
