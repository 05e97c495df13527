"""Objectives: kept and leaked scores of runs that differ in their objective, and its cost.

for name in siglip vicreg; do misalign run objectives:$name --workdir=runs/$name; done
misalign studies.objectives runs/siglip runs/vicreg --figure=objectives.png
"""

import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import pandas as pd

import mmcl
from experiments.compare import COLUMNS, compare, save_comparison
from experiments.report.run_tables import run_table_command
from experiments.sweep.loading import read_plan
from mmcl.objectives.similarities import SIMILARITIES

COST = "ms a batch"
REPEATS = 7


def objectives_table(directories: Sequence[Path]) -> pd.DataFrame:
    """Returns one row per setting of an objective: the scores of `compare`, and its cost.

    The cost is the time in ms of the objective and its gradient on one batch, on this machine. The
    column `run` is the name of the objective. Raises ValueError if a path is not a run directory or
    has no scores, and for two runs of one objective.
    """
    parts, found = [], {}
    for directory in directories:
        recipe = read_plan(directory).recipes[0]
        if recipe.objective in found:
            both = f"{found[recipe.objective]} and {directory}"
            raise ValueError(f"{both} have the objective {recipe.objective}: give one of them")
        found[recipe.objective] = directory
        scores = compare([directory])
        parts.append(scores.assign(run=recipe.objective, **{COST: milliseconds(recipe)}))
    return pd.concat(parts, ignore_index=True)


def milliseconds(recipe: mmcl.Recipe) -> float:
    """Returns the median time of an objective and its gradient on representations of a batch."""
    objective = mmcl.OBJECTIVES[recipe.objective]
    similarity = {"similarity": SIMILARITIES[recipe.similarity]}
    options = similarity if "similarity" in objective.options else {}
    groups = jax.vmap(lambda z: objective.function(z, 1.0, **options))
    gradient = jax.jit(jax.value_and_grad(lambda z: groups(z).mean()))
    shape = (recipe.batch // recipe.group, recipe.group, recipe.outputs)
    z = mmcl.Modalities(*jax.random.normal(jax.random.key(0), (2, *shape)))
    jax.block_until_ready(gradient(z))
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(gradient(z))
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def main() -> None:
    """Runs the command line."""
    run_table_command(
        "misalign studies.objectives", __doc__, objectives_table, save_comparison, columns=COLUMNS
    )


if __name__ == "__main__":
    main()
