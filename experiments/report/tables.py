"""Tables: what people read of the results, in the terminal."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from experiments.rundir.results import HEAD, MODALITIES, REVERSE, ZERO_SHOT, unbiased_names
from experiments.sweep.settings import PAPERS, misalignment_of

SCORE = ["modality", "probe", "target", "metric", "environment"]
METRICS = {"r2": "R²", "matthews": "Matthews correlation"}  # that measure what was kept
SETTING = ["dependence", "setting", "encoding_size", "noise_probability"]


def diverged_lanes(results: pd.DataFrame) -> list[str]:
    """A line for every lane that froze."""
    sick = results[results.status != "ok"].drop_duplicates("lane")
    return [
        f"lane {row.lane} ({row.setting}, {row.dependence}, seed {row.seed}) {row.status}"
        for row in sick.itertuples()
    ]


def over_seeds(results: pd.DataFrame) -> pd.DataFrame:
    """One row a cell: mean over seeds, standard deviation, 95 % interval, seeds, attainable.

    The interval, from `low` to `high`, is Student's; one seed has none. A cell one of whose lanes
    froze has no mean.
    """
    groups = results.groupby([*SETTING, "selected", "perturbable", *SCORE], sort=False)
    cells = groups.value.agg(mean="mean", sd="std", seeds="size", finite="count")
    cells[["mean", "sd"]] = cells[["mean", "sd"]].where(cells.finite == cells.seeds)
    half = stdtrit(cells.seeds - 1, 0.975) * cells.sd / np.sqrt(cells.seeds)
    cells = cells.assign(
        low=cells["mean"] - half, high=cells["mean"] + half, attainable=groups.attainable.mean()
    )
    cells = cells.drop(columns="finite").reset_index()
    return cells.assign(study=studies(cells))


def studies(rows: pd.DataFrame) -> pd.Series:
    """The study that each row's setting belongs to.

    A setting in several sizes belongs to that of its bias in its exact size, and in any other to
    the study of encoding sizes. One that is misaligned in another way than the paper's belongs to
    the study of that.
    """
    sizes = rows.groupby(["dependence", "setting", "noise_probability"]).encoding_size
    study = pd.Series("joint", rows.index)
    study = study.mask(rows.setting.str.startswith("perturb"), "perturbation")
    study = study.mask(rows.perturbable == "", "selection")
    study = study.mask((sizes.transform("nunique") > 1) & ~has_exact_size(rows), "encoding size")
    return study.mask(rows.setting.map(misalignment_of) != PAPERS, "misalignment")


def has_exact_size(rows: pd.DataFrame) -> pd.Series:
    """Whether the encoding size is the number of unbiased semantics, as theory asks for."""
    biases = zip(rows.selected, rows.perturbable, strict=True)
    return rows.encoding_size == [len(unbiased_names(*bias)) for bias in biases]


def with_reference(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells, with full selection also as the first setting of perturbation, if that is there.

    Full selection without noise belongs to both studies.
    """
    perturbed = cells[cells.study == "perturbation"]
    full = cells[(cells.study == "selection") & cells.selected.isin(perturbed.selected)]
    others = cells[cells.study != "perturbation"]
    return pd.concat([others, full.assign(study="perturbation"), perturbed])


def setting_labels(cells: pd.DataFrame) -> pd.Series:
    """The settings, with size and noise probability where the name alone would not tell."""
    exact = has_exact_size(cells)
    one_noise = cells.groupby("setting").noise_probability.transform("nunique") == 1
    size = (", size " + cells.encoding_size.astype(str)).where(~exact, "")
    return (
        cells.setting + size + (", p " + cells.noise_probability.astype(str)).where(~one_noise, "")
    )


def of_targets(rows: pd.DataFrame, probe: str | None = None) -> pd.DataFrame:
    """Of results or cells, those that say what was kept of a target, by one probe or by all."""
    rows = rows[rows.metric.isin(METRICS) & ~rows.probe.isin((HEAD, ZERO_SHOT))]
    return rows if probe is None else rows[rows.probe == probe]


def metric_name(rows: pd.DataFrame) -> str:
    """What the scores of `of_targets` are, in words."""
    there = of_targets(rows).metric.unique()
    return " or ".join(name for metric, name in METRICS.items() if metric in there)


def main_probe(rows: pd.DataFrame) -> str:
    """The probe that stands for all where one is shown: the MLP if it was asked for."""
    names = of_targets(rows).probe.unique()
    return "mlp" if "mlp" in names else names[0]


def summary(cells: pd.DataFrame) -> str:
    """Measured and attainable score of every target, mean over seeds, clipped to [0, 1]."""
    probe = main_probe(cells)
    cells = of_targets(cells, probe)
    targets = list(cells.target.unique())
    width = max(5, 1 + max(map(len, targets)))
    lines = [f"{metric_name(cells)} by {probe}", _line("", targets, width)]
    for (dependence, setting, size, noise), group in cells.groupby(SETTING, sort=False):
        rated = "perturb" in setting or misalignment_of(setting) != PAPERS
        distorts = f", noise probability {noise}" if rated else ""
        lines.append(f"{setting}, {dependence} semantics, size {size}{distorts}")
        rows = group.set_index(["modality", "target"])
        for modality, name in MODALITIES.items():
            lines.append(_line(f"  {name}", map(brief, rows["mean"][modality][targets]), width))
        lines.append(_line("  attainable", map(brief, rows.attainable["x"][targets]), width))
    return "\n".join(lines)


def _line(label, cells, width) -> str:
    return f"{label:<12}" + "".join(f"{cell:>{width}}" for cell in cells)


def brief(score: float) -> str:
    """A score clipped to [0, 1] in three characters: ".98", "1.0"."""
    return f"{min(max(score, 0.0), 1.0):.2f}".lstrip("0")[:3]


def distance_from_theory(rows: pd.DataFrame) -> pd.DataFrame:
    """By probe and dependence, over both modalities: how far values of results are from theory.

    Settings whose encoding size is not the number of unbiased semantics are left out: theory says
    nothing of them.
    So are misalignments other than the paper's.

    least kept: lowest score of an unbiased semantic; most leaked: largest excess of any other
    target over its attainable score; mean and max of |measured - attainable|; least reverse.
    """
    rows = of_targets(rows)
    rows = rows[rows.setting.map(misalignment_of) == PAPERS]
    rows = rows[has_exact_size(rows)]
    names = zip(rows.target, rows.selected, rows.perturbable, strict=True)
    rows = rows.assign(
        kept=[target in unbiased_names(*bias) for target, *bias in names],
        excess=rows.value - rows.attainable,
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
    distances = groups.apply(summarize, include_groups=False)
    unasked = [] if (rows.target == REVERSE).any() else ["least reverse"]
    return distances.drop(columns=unasked, errors="ignore")
