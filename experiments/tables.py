"""Tables: results as tidy rows, and what people read of them in the terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.plan import Lane
from experiments.rundir import write_whole
from experiments.stored import status_of
from experiments.sweep import ProbeScores

MODALITIES = {"x": "image", "t": "text"}
REVERSE = "rep"  # target of the reverse direction, unbiased latents -> representation
SETTING = ["dependence", "setting", "encoding_size", "noise_probability"]


def lane_columns(place: int, lane: Lane) -> dict[str, Any]:
    """The columns that say which lane a row is about."""
    return {
        "lane": place,
        "seed": lane.seed,
        "setting": lane.setting,
        "selected": lane.selected,
        "perturbable": lane.perturbable,
        "dependence": lane.dependence,
        "encoding_size": lane.encoding_size,
        "noise_probability": lane.noise_probability,
    }


def results_table(
    numbers: Sequence[int],
    lanes: Sequence[Lane],
    scores: Sequence[dict[str, ProbeScores]],
    failed_at: Sequence[int],
) -> pd.DataFrame:
    """Rows of `results.csv`: one a score, with lane, modality, probe, target, value, attainable.

    `status` is "ok", or tells the step at which the lane froze; its scores are then not a number.
    """
    table = pd.DataFrame(
        {**lane_columns(number, lane), **row, "status": status_of(step, "ok")}
        for number, lane, of_lane, step in zip(numbers, lanes, scores, failed_at, strict=True)
        for row in _score_rows(of_lane)
    )
    return table.assign(value=table.value.where(table.status == "ok"))


def sick_lanes(results: pd.DataFrame) -> list[str]:
    """A line for every lane that froze."""
    sick = results[results.status != "ok"].drop_duplicates("lane")
    return [
        f"lane {row.lane} ({row.setting}, {row.dependence}, seed {row.seed}) {row.status}"
        for row in sick.itertuples()
    ]


def add_results(path: Path, rows: pd.DataFrame) -> None:
    """Adds rows to `results.csv`, whole or not at all; what is there stays as it is."""
    there = path.read_text() if path.exists() else ""
    write_whole(path, there + rows.to_csv(index=False, header=not there))


def scored_lanes(path: Path) -> list[int]:
    """The numbers of the lanes in `results.csv`, none if there is no such file."""
    return sorted(set(read_results(path).lane)) if path.exists() else []


def read_results(path: Path) -> pd.DataFrame:
    """`results.csv` as it was written: a score that is not a number stays one."""
    scores = {"value": [""], "attainable": [""]}
    return pd.read_csv(path, keep_default_na=False, na_values=scores)


def mean_over_seeds(results: pd.DataFrame, probe: str) -> pd.DataFrame:
    """Rows SETTING + what ("image", "text": measured; "attainable"), columns targets."""
    results = results[results.probe == probe]
    attainable = results[results.modality == "x"].assign(
        what="attainable", value=lambda rows: rows.attainable
    )
    rows = pd.concat([results.assign(what=results.modality.map(MODALITIES)), attainable])
    for column in [*SETTING, "what", "target"]:  # keep the order of the results, not the alphabet's
        rows[column] = pd.Categorical(rows[column], rows[column].unique(), ordered=True)
    keys = [*SETTING, "what"]
    values = rows.groupby([*keys, "target"], observed=True).value
    return values.apply(lambda seeds: seeds.mean(skipna=False)).unstack("target")


def summary(results: pd.DataFrame, probe: str = "mlp") -> str:
    """Measured and attainable score of every target, mean over seeds, clipped to [0, 1]."""
    scores = mean_over_seeds(results, probe)
    lines = [_line(f"R² by {probe}", scores.columns)]
    for (dependence, setting, size, noise), rows in scores.groupby(level=SETTING, observed=True):
        distorts = f", noise probability {noise}" if "perturb" in setting else ""
        lines.append(f"{setting}, {dependence} semantics, size {size}{distorts}")
        lines += [_line(f"  {index[-1]}", map(brief, values)) for index, values in rows.iterrows()]
    return "\n".join(lines)


def _line(label, cells) -> str:
    return f"{label:<12}" + "".join(f"{cell:>5}" for cell in cells)


def brief(score: float) -> str:
    """A score clipped to [0, 1] in three characters: ".98", "1.0"."""
    return f"{min(max(score, 0.0), 1.0):.2f}".lstrip("0")[:3]


def distance_from_theory(results: pd.DataFrame) -> pd.DataFrame:
    """By probe and dependence, over all lanes and both modalities: how far from theory.

    least kept: lowest score of an unbiased semantic; most leaked: largest excess of any other
    target over its attainable score; mean and max of |measured - attainable|; least reverse.
    """
    rows = results.assign(
        kept=[
            target in set(selected.split()) - set(perturbable.split())
            for target, selected, perturbable in zip(
                results.target, results.selected, results.perturbable, strict=True
            )
        ],
        excess=results.value - results.attainable,
    )

    def summarize(group):
        forward = group[group.target != REVERSE]
        return pd.Series(
            {
                "least kept": forward.value[forward.kept].min(skipna=False),
                "most leaked": forward.excess[~forward.kept].max(skipna=False),
                "mean error": forward.excess.abs().mean(skipna=False),
                "max error": forward.excess.abs().max(skipna=False),
                "least reverse": group.value[group.target == REVERSE].min(skipna=False),
            }
        )

    groups = rows.groupby(["probe", "dependence"], sort=False)
    return groups.apply(summarize, include_groups=False)


def _score_rows(scores: dict[str, ProbeScores]) -> Iterator[dict[str, Any]]:
    for probe, score in scores.items():
        attainable = {**_by_target(score.attainable), REVERSE: 1.0}
        for modality in MODALITIES:
            measured = _by_target(getattr(score, modality))
            measured[REVERSE] = getattr(score, f"reverse_{modality}")
            for target, value in measured.items():
                yield {
                    "modality": modality,
                    "probe": probe,
                    "target": target,
                    "metric": "r2",
                    "value": float(value),
                    "attainable": float(attainable[target]),
                }


def _by_target(scores) -> dict[str, Any]:
    names = [f"s{i}" for i in range(1, len(scores.s) + 1)]
    return {**dict(zip(names, scores.s, strict=True)), "m_x": scores.m_x, "m_t": scores.m_t}
