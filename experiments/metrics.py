"""Metrics: computes independence, disentanglement and mutual information for a finished run.

misalign metrics runs/quickstart [--modality=x]
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from rich.console import Console

import mmcl
from experiments.domains.domain import TrainedLane
from experiments.domains.latent_metrics import LatentMetrics, latent_metrics
from experiments.domains.latents import LatentsDomain
from experiments.rundir.csv_tables import with_words
from experiments.rundir.describe import finished_lanes
from experiments.rundir.lane_identity import lane_columns, unbiased_names
from experiments.rundir.results import DIGITS, MODALITIES
from experiments.runtime.devices import enable_compilation_cache, fix_numeric_settings
from experiments.runtime.progress import Show, progress
from experiments.runtime.user_errors import user_errors
from experiments.sweep.lane import lane_keys
from experiments.sweep.loading import LoadedLane, load_lane, read_plan
from experiments.sweep.plan import Plan
from lvm.files.atomic import write_atomically

ONE_MODALITY = ("m_x", "m_t")  # targets of several columns
UNBIASED = "unbiased"  # the target of metrics of all unbiased semantics together


def write_metrics(directory: Path, modalities: Sequence[str], show: Show) -> Path:
    """Writes `metrics.csv`, one row per score, anew after every lane.

    Scores of a lane that diverged are NaN. Raises ValueError if `directory` is not a run directory,
    or for a run of images or one that has not ended.
    """
    plan = read_plan(directory)
    if not isinstance(plan.domain, LatentsDomain):
        raise ValueError(f"{directory} is a run of images: allowed is a run of the domain latents")
    diverged = [lane["failed_at"] >= 0 for lane in finished_lanes(directory)]
    measure = jax.jit(partial(_lane_metrics, plan), static_argnums=0)
    path, rows = directory / "metrics.csv", []
    for number, has_diverged in enumerate(diverged):
        show("scoring", number / len(diverged), f"lane {number}")
        lane = load_lane(directory, number)
        data = jax.tree.map(lambda leaf, number=number: leaf[number], plan.data)
        for modality in modalities:
            metrics = jax.device_get(measure(modality, data, lane.world, lane.params, lane.stats))
            for row in metric_rows(lane, plan.domain.semantics, metrics):
                value = np.nan if has_diverged else float(row["value"])
                columns = lane_columns(number, lane.identity)
                rows.append({**columns, "modality": modality, **row, "value": value})
        table = with_words(pd.DataFrame(rows))
        write_atomically(path, table.to_csv(index=False, float_format=DIGITS))
    show("scoring", 1.0, "")
    return path


def metric_rows(
    lane: LoadedLane, semantics: Sequence[str], metrics: LatentMetrics
) -> Iterator[dict[str, Any]]:
    """Yields rows with target, metric and value; independence is tested for biased targets."""
    unbiased = unbiased_names(lane.identity.selected, lane.identity.perturbable)
    for index, target in enumerate([*semantics, *ONE_MODALITY]):
        scores = {}
        if target not in unbiased:
            statistic, p_value = metrics.independence
            scores |= {"hsic": statistic[index], "hsic_p": p_value[index]}
        for bound in ("infonce", "nwj"):
            nats, ceiling, saturated = getattr(metrics, bound)
            scores |= {
                bound: nats[index],
                f"{bound}_ceiling": ceiling[index],
                f"{bound}_saturated": saturated[index],
            }
        for metric, value in scores.items():
            yield {"target": target, "metric": metric, "value": value}
    for metric, value in metrics.dci._asdict().items():
        yield {"target": UNBIASED, "metric": metric, "value": value}


def _lane_metrics(plan: Plan, modality: str, data, world, params, stats) -> LatentMetrics:
    encode = partial(mmcl.encode, params, stats, recipe=plan.recipes[0], hyper=data.hyper)
    trained = TrainedLane((), world, data, encode, data.hyper.dimensions)
    return latent_metrics(lane_keys(data.seed).metrics, plan.domain, trained, modality)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign metrics", description=__doc__)
    parser.add_argument("directory", type=Path, help="a finished run of the domain latents")
    parser.add_argument("--modality", choices=MODALITIES, help="one of them; default is both")
    options = parser.parse_args(arguments)
    fix_numeric_settings()
    enable_compilation_cache()
    modalities = [options.modality] if options.modality else list(MODALITIES)
    with user_errors(), progress(Console()) as show:
        path = write_metrics(options.directory, modalities, show)
    print(f"metrics: {path}")


if __name__ == "__main__":
    main()
