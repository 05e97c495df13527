"""Measure parts: all selected parts in one run, in one table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from experiments.benchmark.measurement.cases import measure_ladder
from experiments.benchmark.measurement.ceilings import measure_ceilings
from experiments.benchmark.output_table import make_table
from experiments.benchmark.parts import PARTS
from experiments.benchmark.peer_comparison import PART as PEER
from experiments.benchmark.peer_comparison import RECIPES, compare_with_peer
from experiments.benchmark.reference.reference_comparison import LOGS, compare_with_reference
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.targets import target_rows
from experiments.runtime.progress import progress

ALL_PARTS = (*PARTS, PEER)


def measure_parts(
    names: Sequence[str], sizes: Sizes, console: Console, reference: Path | None = None
) -> Iterator[pd.DataFrame]:
    """Yields the table so far: first the ceilings, then after each part in `names`.

    The last rows of a table are the targets whose parts have been measured.

    reference: folder of the authors' code, which is then compared as the last part.
    """
    names = tuple(dict.fromkeys(names))  # without repetitions
    ladders = {name: PARTS[name](sizes) for name in names if name != PEER}
    cases = sum(len(ladder) for part in ladders.values() for ladder in part)
    logs = len(RECIPES) * (PEER in names) + LOGS * (reference is not None)
    total = 1 + cases + logs
    with progress(console) as show:
        done = iter(range(1, total + 1))
        log = lambda note: show("benchmark", next(done) / total, note)
        show("benchmark", 0, "ceilings")
        rows, ceilings = measure_ceilings(sizes)
        log("ceilings")
        yield make_table(rows)
        for name in names:
            if name == PEER:
                rows += compare_with_peer(sizes, ceilings, log)
            for ladder in ladders.get(name, ()):
                rows += measure_ladder(name, ladder, sizes=sizes, ceilings=ceilings, log=log)
            yield make_table([*rows, *target_rows(make_table(rows))])
        if reference is not None:
            for new_rows in compare_with_reference(reference, sizes, ceilings, log):
                rows += new_rows
                yield make_table([*rows, *target_rows(make_table(rows))])
