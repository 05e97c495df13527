"""Metrics: a finished run scored by independence, disentanglement and mutual information.

python -m experiments.metrics runs/quickstart [--modality=x]
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from rich.console import Console

from experiments.domains.latent_metrics import LaneMetrics, measure_lane
from experiments.rundir.describe import describe_run
from experiments.rundir.results import DIGITS, MODALITIES, unbiased_names
from experiments.runtime.devices import keep_compiled
from experiments.runtime.progress import Show, progress
from experiments.sweep.loading import LoadedLane, load_lane, read_plan
from lvm.files.atomic import write_atomically

ALONE = ("m_x", "m_t")  # targets of several columns, of one modality alone
UNBIASED = "unbiased"  # the target of what is asked of all unbiased semantics together


def score_run(directory: Path, modalities: Sequence[str], show: Show) -> Path:
    """Writes `metrics.csv`, a tidy row a score, as far as it is after every lane.

    Scores of a lane that froze are not a number. Raises ValueError for what is no run directory,
    for a run of images, and for one that has not ended.
    """
    plan = read_plan(directory)
    if plan.domain.words is not None:
        raise ValueError(f"{directory} is a run of images: allowed is a run of the domain latents")
    frozen = _frozen(directory)
    measure = jax.jit(partial(measure_lane, plan), static_argnums=0)
    path, rows = directory / "metrics.csv", []
    for number, froze in enumerate(frozen):
        show("scoring", number / len(frozen), f"lane {number}")
        lane = load_lane(directory, number)
        data = jax.tree.map(lambda leaf, number=number: leaf[number], plan.data)
        for modality in modalities:
            told = measure(modality, data, lane.world, lane.params, lane.stats)
            named = metric_rows(lane, plan.domain.semantics, jax.device_get(told))
            rows += [
                {"lane": number, "seed": lane.lane.seed, "setting": lane.lane.setting}
                | {"modality": modality, **row, "value": np.nan if froze else float(row["value"])}
                for row in named
            ]
        write_atomically(path, pd.DataFrame(rows).to_csv(index=False, float_format=DIGITS))
    show("scoring", 1.0, "")
    return path


def metric_rows(
    lane: LoadedLane, semantics: Sequence[str], told: LaneMetrics
) -> Iterator[dict[str, Any]]:
    """Rows with target, metric and value; independence is asked of biased targets alone."""
    unbiased = unbiased_names(lane.lane.selected, lane.lane.perturbable)
    for place, target in enumerate([*semantics, *ALONE]):
        scores = {}
        if target not in unbiased:
            statistic, p_value = told.independence
            scores |= {"hsic": statistic[place], "hsic_p": p_value[place]}
        for bound in ("infonce", "nwj"):
            nats, ceiling, saturated = getattr(told, bound)
            scores |= {
                bound: nats[place],
                f"{bound}_ceiling": ceiling[place],
                f"{bound}_saturated": saturated[place],
            }
        for metric, value in scores.items():
            yield {"target": target, "metric": metric, "value": value}
    for metric, value in told.dci._asdict().items():
        yield {"target": UNBIASED, "metric": metric, "value": value}


def _frozen(directory: Path) -> list[bool]:
    """Of every lane, whether it froze; raises ValueError if one has steps left."""
    run = describe_run(directory)
    for lane in run["lanes"]:
        if lane["step"] < lane["steps"]:
            raise ValueError(
                f"lane {lane['lane']} of {directory} has done {lane['step']} of {lane['steps']} "
                "steps: let the run end"
            )
    return [lane["status"].startswith("diverged") for lane in run["lanes"]]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.metrics", description=__doc__)
    parser.add_argument("directory", type=Path, help="a finished run of the domain latents")
    parser.add_argument("--modality", choices=MODALITIES, help="one alone; default is both")
    options = parser.parse_args(arguments)
    keep_compiled()
    modalities = [options.modality] if options.modality else list(MODALITIES)
    try:
        with progress(Console()) as show:
            path = score_run(options.directory, modalities, show)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"metrics: {path}")


if __name__ == "__main__":
    main()
