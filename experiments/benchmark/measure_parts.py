"""Measuring: all parts that are asked for, in one run, into one table."""

from collections.abc import Iterator, Sequence

import pandas as pd
from rich.console import Console

from experiments.benchmark.measurement.cases import measure_ladder
from experiments.benchmark.measurement.ceilings import measure_ceilings
from experiments.benchmark.output_table import make_table
from experiments.benchmark.parts import PARTS
from experiments.benchmark.peer_comparison import PART as PEER
from experiments.benchmark.peer_comparison import RECIPES, duels
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.targets import target_rows
from experiments.runtime.progress import progress

EVERY = (*PARTS, PEER)


def measure_parts(names: Sequence[str], sizes: Sizes, console: Console) -> Iterator[pd.DataFrame]:
    """The table so far: of the ceilings, then with each of the parts with these names too.

    What is known of the targets stands last.
    """
    names = tuple(dict.fromkeys(names))  # each once
    ladders = {name: PARTS[name](sizes) for name in names if name != PEER}
    left = sum(len(cases) for part in ladders.values() for cases in part)
    total = 1 + left + len(RECIPES) * (PEER in names)
    with progress(console) as show:
        done = iter(range(1, total + 1))
        tell = lambda note: show("benchmark", next(done) / total, note)
        show("benchmark", 0, "ceilings")
        rows, ceilings = measure_ceilings(sizes)
        tell("ceilings")
        yield make_table(rows)
        for name in names:
            if name == PEER:
                rows += duels(sizes, ceilings, tell)
            for cases in ladders.get(name, ()):
                rows += measure_ladder(name, cases, sizes, ceilings, tell)
            yield make_table([*rows, *target_rows(make_table(rows))])
