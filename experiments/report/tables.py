"""Tables: results aggregated over seeds, and the tables of the terminal."""

from textwrap import fill

import numpy as np
import pandas as pd
from rich.cells import cell_len
from scipy.special import stdtrit

from experiments.report.terminal_tables import WIDTH
from experiments.rundir.hyperparameters import chosen_worlds, differing, hyperparameter_labels
from experiments.rundir.lane_identity import (
    PAPER_MISALIGNMENT,
    REVERSE,
    role_and_score,
    unbiased_names,
)
from experiments.rundir.results import HEAD, MODALITIES, NOT_SEMANTICS, ZERO_SHOT
from experiments.sweep.lane_status import usual_reason

SCORE = ["modality", "probe", "target", "metric", "environment"]
METRICS = {"r2": "R²", "matthews": "Matthews correlation"}  # that measure what was kept
SETTING = [
    "dependence", "noise_law", "setting", "encoding_size", "misalignment", "noise_probability",
]  # fmt: skip
DEFAULT_LAWS = ("gaussian", "natural")  # noise laws that labels omit
LABEL_WIDTH = 12  # of the lines of `summary`


def flagged_lanes(results: pd.DataFrame) -> list[str]:
    """Returns one line for every lane whose status is not "ok", with the usual reason."""
    flagged = results[results.status != "ok"].drop_duplicates("lane")
    return [
        f"lane {row.lane} ({row.setting}, {row.dependence}, seed {row.seed}) {row.status}"
        f"; {usual_reason(row.status)}"
        for row in flagged.itertuples()
    ]


def aggregate_seeds(results: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per cell: mean over seeds, standard deviation, 95 % interval, attainable.

    The interval from `low` to `high` is Student's; a single seed has none. A cell with a lane that
    diverged has no mean. The column `law` joins dependence and noise law for labels. A
    hyperparameter is a column where lanes of a setting differ in it, `world_seed` if it was chosen.
    """
    keys = [*setting_columns(results), "selected", "perturbable", *SCORE]
    groups = results.groupby(keys, sort=False, dropna=False)
    cells = groups.value.agg(mean="mean", sd="std", seeds="size", finite="count")
    cells[["mean", "sd"]] = cells[["mean", "sd"]].where(cells.finite == cells.seeds)
    half = stdtrit(cells.seeds - 1, 0.975) * cells.sd / np.sqrt(cells.seeds)
    cells = cells.assign(
        low=cells["mean"] - half, high=cells["mean"] + half, attainable=groups.attainable.mean()
    )
    cells = cells.drop(columns="finite").reset_index()
    return cells.assign(law=law_labels(cells), study=study_names(cells))


def setting_columns(rows: pd.DataFrame) -> list[str]:
    """Returns the columns that distinguish settings, with hyperparameters where they differ.

    If worlds were chosen, lanes of two worlds are no seeds of one setting.
    """
    return [*SETTING, *chosen_worlds(rows), *differing(rows)]


def law_labels(rows: pd.DataFrame) -> pd.Series:
    """Returns the dependence of each row, with the noise law if it is not the default."""
    laws = (", " + rows.noise_law.astype(str).str.replace("_", " ") + " noise").where(
        ~rows.noise_law.isin(DEFAULT_LAWS), ""
    )
    return rows.dependence + laws


def study_names(rows: pd.DataFrame) -> pd.Series:
    """Returns the study that the setting of each row belongs to.

    "selection" perturbs nothing, "perturbation" perturbs under full selection, "joint" under a
    smaller one. A setting in several encoding sizes belongs to these in its exact size, and to
    "encoding size" otherwise. Misalignments other than the paper's are a study.
    """
    sizes = rows.groupby(["dependence", "noise_law", "setting", "noise_probability"]).encoding_size
    full = len(_semantics(rows))
    study = pd.Series("joint", rows.index)
    study = study.mask(rows.selected.str.split().map(len) == full, "perturbation")
    study = study.mask(rows.perturbable == "", "selection")
    study = study.mask((sizes.transform("nunique") > 1) & ~has_exact_size(rows), "encoding size")
    return study.mask(rows.misalignment != PAPER_MISALIGNMENT, "misalignment")


def has_exact_size(rows: pd.DataFrame) -> pd.Series:
    """Returns whether the encoding size equals the number of unbiased semantics."""
    biases = zip(rows.selected, rows.perturbable, strict=True)
    return rows.encoding_size == [len(unbiased_names(*bias)) for bias in biases]


def size_notes(results: pd.DataFrame) -> list[str]:
    """Returns lines on sizes and partial R² of a run that estimated encoding sizes, else none."""
    counts = results[results.metric == "count"]
    if not (counts.value < counts.encoding_size).any():
        return []
    right = int((counts.value == counts.attainable).sum())
    partial = results[(results.metric == "partial_r2") & results.target.str.match(r"s\d")]
    keys = ["probe", *setting_columns(partial), "modality", "target"]
    largest = partial.groupby(keys, dropna=False).value.mean()
    worst = largest.groupby(["probe", "modality"]).max()
    return [
        f"{right} of {len(counts)} lanes have as many columns as there are unbiased semantics",
        "largest partial R² of a biased semantic, mean over seeds: "
        + ", ".join(
            f"{probe} from {MODALITIES[modality]}s {value:.3f}"
            for (probe, modality), value in worst.items()
        ),
    ]


def with_roles(rows: pd.DataFrame, value: str = "value") -> pd.DataFrame:
    """Returns rows of results or cells with the columns `role` and `role_score`.

    `value` is the column with the score; see `role_and_score`.
    """
    columns = ["target", "selected", "perturbable", "attainable", value]
    records = rows[columns].rename(columns={value: "value"}).to_dict("records")
    roles = [role_and_score(record) for record in records]
    return rows.assign(role=[role for role, _ in roles], role_score=[score for _, score in roles])


def add_full_selection(cells: pd.DataFrame) -> pd.DataFrame:
    """Returns the cells, with full selection also as the first setting of perturbation.

    Full selection without noise belongs to both studies.
    """
    perturbed = cells[cells.study == "perturbation"]
    full = cells[(cells.study == "selection") & cells.selected.isin(perturbed.selected)]
    others = cells[cells.study != "perturbation"]
    return pd.concat([others, full.assign(study="perturbation"), perturbed])


def setting_labels(cells: pd.DataFrame) -> pd.Series:
    """Returns the settings, with size, noise probability and hyperparameters where needed.

    The latter two are left out where all lanes of the same name have the same value.
    """
    return bias_labels(cells) + hyperparameter_labels(cells)


def bias_labels(cells: pd.DataFrame) -> pd.Series:
    """Returns the labels of settings without hyperparameters."""
    exact = has_exact_size(cells)
    one_noise = cells.groupby("setting").noise_probability.transform("nunique") == 1
    size = (", size " + cells.encoding_size.astype(str)).where(~exact, "")
    return (
        cells.setting + size + (", p " + cells.noise_probability.astype(str)).where(~one_noise, "")
    )


def target_rows(rows: pd.DataFrame, probe: str | None = None) -> pd.DataFrame:
    """Returns the scores of targets, by one probe or by all; leaves out tasks and similarities."""
    rows = rows[rows.metric.isin(METRICS) & ~rows.probe.isin((HEAD, ZERO_SHOT))]
    return rows if probe is None else rows[rows.probe == probe]


def metric_name(rows: pd.DataFrame) -> str:
    """Returns the name of the metrics of `target_rows`."""
    present = target_rows(rows).metric.unique()
    return " or ".join(name for metric, name in METRICS.items() if metric in present)


def main_probe(rows: pd.DataFrame) -> str:
    """Returns the probe that is shown where only one is: the MLP if it was used."""
    names = target_rows(rows).probe.unique()
    return "mlp" if "mlp" in names else names[0]


def summary(cells: pd.DataFrame) -> str:
    """Returns measured and attainable scores of every target as text, clipped to [0, 1].

    Lines have up to WIDTH letters: if there are more targets, several tables follow one another.
    """
    probe = main_probe(cells)
    cells = target_rows(cells, probe)
    targets = list(cells.target.unique())
    width = max(5, 1 + max(map(cell_len, targets)))
    count = max(1, (WIDTH - LABEL_WIDTH) // width)
    parts = [targets[begin : begin + count] for begin in range(0, len(targets), count)]
    tables = ["\n".join(_summary_lines(cells, part, width)) for part in parts]
    return f"{metric_name(cells)} by {probe}\n" + "\n\n".join(tables)


def _summary_lines(cells: pd.DataFrame, targets: list[str], width: int) -> list[str]:
    lines = [_line("", targets, width)]
    cells = cells.assign(hyperparameters=hyperparameter_labels(cells))
    for _, group in cells.groupby(setting_columns(cells), sort=False, dropna=False):
        lines.append(fill(_heading(group.iloc[0]), WIDTH, subsequent_indent="  "))
        rows = group.set_index(["modality", "target"])
        for modality, name in MODALITIES.items():
            lines.append(_line(f"  {name}", map(brief, rows["mean"][modality][targets]), width))
        lines.append(_line("  attainable", map(brief, rows.attainable["x"][targets]), width))
    return lines


def brief(score: float) -> str:
    """Returns a score clipped to [0, 1] in three characters: ".98", "1.0"."""
    return f"{min(max(score, 0.0), 1.0):.2f}".lstrip("0")[:3]


def distance_from_theory(rows: pd.DataFrame, estimated: bool = False) -> pd.DataFrame:
    """Returns distances of scores from theory, by probe and law, over both modalities.

    They are also by the hyperparameters in which lanes of a setting differ.

    Settings whose encoding size is not the number of unbiased semantics, and misalignments other
    than the paper's, are left out: theory makes no statement about them. `estimated` is whether the
    recipe estimates the encoding size; then all sizes take part.

    least kept:           lowest score of an unbiased semantic.
    most leaked:          largest excess of any other target over its attainable score.
    mean error, max error: of |measured - attainable|.
    least reverse:        lowest score of the representation from the unbiased latents.
    """
    rows = target_rows(rows[rows.misalignment == PAPER_MISALIGNMENT])
    rows = rows if estimated else rows[has_exact_size(rows)]
    rows = with_roles(rows).assign(dependence=law_labels(rows))

    def summarize(group):
        scores = lambda role: group.role_score[group.role == role]
        forward = group[group.role != "reverse"]
        error = (forward.value - forward.attainable).abs()
        return pd.Series(
            {
                "least kept": scores("kept").min(skipna=False),
                "most leaked": scores("leaked").max(skipna=False),
                "mean error": error.mean(skipna=False),
                "max error": error.max(skipna=False),
                "least reverse": scores("reverse").min(skipna=False),
            }
        )

    groups = rows.groupby(["probe", "dependence", *differing(rows)], sort=False, dropna=False)
    distances = groups.apply(summarize, include_groups=False)
    absent = [] if (rows.target == REVERSE).any() else ["least reverse"]
    return distances.drop(columns=absent, errors="ignore")


def _semantics(rows: pd.DataFrame) -> set[str]:
    """The semantics that rows select or have as targets."""
    selected = set(" ".join(rows.selected.unique()).split())
    targets = set(target_rows(rows).target) if "target" in rows else set()
    return selected | targets - set(NOT_SEMANTICS)


def _heading(cell: pd.Series) -> str:
    """A setting in words: law, encoding size, noise probability, differing hyperparameters."""
    noisy = cell.perturbable or cell.misalignment != PAPER_MISALIGNMENT
    noise = f", noise probability {cell.noise_probability}" if noisy else ""
    size = f"size {cell.encoding_size}"
    return f"{cell.setting}, {cell.law} semantics, {size}{noise}{cell.hyperparameters}"


def _line(label: str, entries, width: int) -> str:
    return f"{label:<{LABEL_WIDTH}}" + "".join(
        " " * (width - cell_len(entry)) + entry for entry in entries
    )
