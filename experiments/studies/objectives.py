"""Objectives: runs that differ in their objective side by side, what each kept, leaked and costs.

for name in siglip vicreg; do
    python -m experiments.run --config=experiments/configs/objectives.py:$name --workdir=runs/$name
done
python -m experiments.studies.objectives runs/siglip runs/vicreg --figure=objectives.png
"""

import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import pandas as pd

import mmcl
from experiments.compare import compare, save_comparison
from experiments.report.run_tables import compare_runs_command
from experiments.sweep.loading import read_plan
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES

COST = "ms a batch"
REPEATS = 7


def objectives_table(directories: Sequence[Path]) -> pd.DataFrame:
    """A row a setting of an objective: the scores of `compare`, and what the objective costs.

    That is milliseconds on this machine of the objective with its gradient, of a batch.

    Column `run` is the objective's name. Raises ValueError for what is no run directory or has no
    scores, and for two runs of one objective.
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
    """What an objective and its gradient by the representations of a batch take, the median."""
    chosen = OBJECTIVES[recipe.objective]
    similar = {"similarity": SIMILARITIES[recipe.similarity]}
    options = similar if "similarity" in chosen.options else {}
    groups = jax.vmap(lambda z: chosen.function(z, 1.0, **options))
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
    """The command line."""
    compare_runs_command(
        "experiments.studies.objectives", __doc__, objectives_table, save_comparison
    )


if __name__ == "__main__":
    main()
