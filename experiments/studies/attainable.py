"""Attainable: how far regressions fall short of the best R² from the unbiased semantics, by law.

misalign studies.attainable --worlds=20 --output=attainable.csv
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from rich.console import Console

import lvm
import probes
from experiments.domains.conditional_means import method_of
from experiments.report.terminal_tables import frame_columns, print_table
from experiments.rundir.lane_identity import PAPER_MISALIGNMENT
from experiments.rundir.results import BOOSTING
from experiments.runtime.progress import Show, progress
from experiments.runtime.user_errors import user_errors
from lvm.files.atomic import write_atomically
from lvm.latents.semantics import solve_semantics

SEMANTICS, KEPT = 10, 6
FIT, TEST = 20480, 4096
LAWS = (*((dependence, "gaussian") for dependence in list(lvm.DEPENDENCES)[1:]),
        *(("nonlinear_scm", law) for law in list(lvm.NOISE_LAWS)[1:]))  # fmt: skip


def attainable_rows(worlds: int, show: Show) -> Iterator[dict[str, Any]]:
    """Yields one row per law, world and omitted semantic, with the R² of every estimate.

    theory: of E[s | s_I] in closed form or by Monte Carlo; NaN where neither is known.
    strong, mlp, scikit_learn: of probes, and of scikit-learn's HistGradientBoostingRegressor (NaN
        where it is not installed), fitted on 20,480 rows and tested on the same 4,096 as `theory`.
    """
    for index, (dependence, noise_law) in enumerate(LAWS):
        for world in range(worlds):
            done = (index * worlds + world) / (len(LAWS) * worlds)
            show("estimating", done, f"{dependence}, {noise_law}, world {world}")
            scores = pd.DataFrame(_world_scores(dependence, noise_law, world))
            law = {"dependence": dependence, "noise_law": noise_law, "world": world}
            for target, row in zip(
                np.flatnonzero(~_kept(world)), scores.to_dict("records"), strict=True
            ):
                yield {**law, "target": f"s{target + 1}", **row}


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns mean and largest shortfall of each estimate from the best one, one row per law."""
    estimates = rows[["theory", "strong", "mlp", "scikit_learn"]]
    short = estimates.rsub(estimates.max(axis=1), axis=0)
    groups = pd.concat([rows[["dependence", "noise_law"]], short], axis=1).groupby(
        ["dependence", "noise_law"], sort=False
    )
    table = groups.agg(["mean", "max"])
    table.columns = [f"{estimate} {statistic}" for estimate, statistic in table.columns]
    return table.reset_index()


def _world_scores(dependence: str, noise_law: str, world: int) -> dict[str, np.ndarray]:
    """R² of every omitted semantic from the kept ones, by every estimate."""
    key = jax.random.fold_in(jax.random.key(world), 1)
    law = lvm.init_world(jax.random.key(world), lvm.WorldSpec(SEMANTICS), dependence).semantics
    noise = lvm.NOISE_LAWS[noise_law](jax.random.normal(key, (FIT + TEST, SEMANTICS)))
    s = solve_semantics(law, noise)
    kept = _kept(world)
    known, omitted = s[:, kept], s[:, ~kept]
    r2 = lambda predicted: np.asarray(probes.r2(omitted[FIT:], predicted))
    fitted = lambda probe: r2(probe(key, known[:FIT], omitted[:FIT], known[FIT:]))
    unknown = np.full(SEMANTICS - KEPT, np.nan)
    theory = lambda: r2(lvm.conditional_means(key, law, s[FIT:], jnp.asarray(kept))[:, ~kept])
    has_theory = method_of(dependence, noise_law, PAPER_MISALIGNMENT) != BOOSTING
    return {
        "theory": theory() if has_theory else unknown,
        "strong": fitted(probes.PROBES["strong"]),
        "mlp": fitted(probes.mlp),
        "scikit_learn": unknown if (trees := _scikit_learn()) is None else fitted(trees),
    }


def _kept(world: int) -> np.ndarray:
    """Which semantics are kept in a world: bool [10]."""
    chosen = np.random.default_rng(world).choice(SEMANTICS, KEPT, replace=False)
    return np.isin(np.arange(SEMANTICS), chosen)


def _scikit_learn() -> Callable[..., np.ndarray] | None:
    """scikit-learn's gradient boosting as a probe, None where it is not installed."""
    if find_spec("sklearn") is None:
        return None
    regressor = import_module("sklearn.ensemble").HistGradientBoostingRegressor

    def probe(key, features, targets, queries):
        del key
        fit = lambda target: regressor().fit(features, target).predict(queries)
        return np.stack([fit(target) for target in np.asarray(targets).T], axis=1)

    return probe


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign studies.attainable", description=__doc__)
    parser.add_argument("--worlds", type=int, default=5, help="of each law; default is 5")
    parser.add_argument("--output", type=Path, default=Path("attainable.csv"), help="table")
    options = parser.parse_args(arguments)
    console = Console()
    with user_errors(), progress(console) as show:
        rows = pd.DataFrame(attainable_rows(options.worlds, show))
    write_atomically(options.output, rows.to_csv(index=False, float_format="%.4f"))
    print("shortfall from the best estimate, mean and largest")
    print_table(console, frame_columns(summarize(rows)), keys=2)
    print(f"scores: {options.output}")


if __name__ == "__main__":
    main()
