"""Published scores: scores of the paper, to be shown beside the measured ones.

They are read from CSV files with one row per cell. Files of the numerical study have the columns
COLUMNS, as in selection, [3], independent, x, s1, 1.0, mlp; files of images have IMAGE_COLUMNS, as
in causal3dident, selection, 3, x, mlp, shape, matthews, 0.82.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = ["bias", "subset", "dependence", "modality", "target", "r2", "probe"]
IMAGE_COLUMNS = [
    "dataset", "bias", "n_unbiased", "modality", "probe", "target", "metric", "value",
]  # fmt: skip
VERBS = {"selection": "select", "perturbation": "perturb"}
UNPERTURBED = "perturb [0]"  # is select [10], with the same cells in the paper
NOISE = {"latents": 0.75, "mpi3d": 0.9, "scenes": 1.0, "causal3dident": 1.0}  # in the paper
DATASETS = {"mpi3d": "mpi3d_complex", "scenes": "causal3dident", "causal3dident": "causal3dident"}
LISTED = 10  # cells that differ and are listed one by one
KEY = ["setting", "dependence", "modality", "target", "metric", "probe"]


def read_paper(path: Path, domain: str, semantics: Sequence[str]) -> pd.DataFrame:
    """Returns the paper's scores of the study of a domain: KEY, noise_probability and `paper`.

    `semantics` are the names of the domain's semantics, in the order of selection. Raises
    ValueError for a file that lacks a column, or that has no row of the study.
    """
    table = pd.read_csv(path)
    columns = IMAGE_COLUMNS if domain in DATASETS else COLUMNS
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}: it needs {', '.join(columns)}")
    ours = _of_images(table, domain, semantics) if domain in DATASETS else _of_latents(table)
    if ours.empty:
        raise ValueError(f"{path} has no row of {DATASETS.get(domain, domain)}")
    return ours.assign(noise_probability=NOISE.get(domain))[[*KEY, "noise_probability", "paper"]]


def add_paper_scores(cells: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Returns the cells with the paper's scores in a column `paper`, NaN where it has none.

    It is NaN too for distorted values of scenes from texts, which the paper measures against the
    value in the caption, not against that of the scene.
    """
    noise = cells.noise_probability == paper.noise_probability.iloc[0]
    in_study = cells.study.isin(VERBS) & ((cells.perturbable == "") | noise)
    paper_scores = paper[[*KEY, "paper"]]
    joined = cells[KEY].merge(paper_scores, how="left", on=KEY, validate="m:1").paper.to_numpy()
    pairs = zip(cells.target, cells.perturbable, strict=True)
    distorted = np.array([target in perturbable.split() for target, perturbable in pairs], bool)
    of_scenes = (cells.dependence == "natural") & (cells.metric == "r2")
    not_comparable = of_scenes & (cells.modality == "t") & distorted
    return cells.assign(paper=pd.Series(joined, cells.index).where(in_study & ~not_comparable))


def agreement(cells: pd.DataFrame) -> list[str]:
    """Returns lines that compare our cells with those that are 0.0 or 1.0 in the paper.

    Only cells of independent semantics are compared, rounded to one decimal.
    """
    sure = cells[(cells.dependence == "independent") & cells.paper.isin([0.0, 1.0])]
    if sure.empty:
        return []
    other = sure[sure["mean"].clip(0, 1).round(1) != sure.paper]
    lines = [
        f"{len(sure) - len(other)} of {len(sure)} independent cells that are 0.0 or 1.0 in the "
        "paper agree."
    ]
    differing = [
        f"{row.setting}, {row.modality}, {row.target} by {row.probe}: {row.ours:.2f} here, "
        f"{row.paper:.1f} in the paper."
        for row in other.rename(columns={"mean": "ours"}).head(LISTED).itertuples()
    ]
    more = len(other) - len(differing)
    return lines + differing + ([f"And {more} more: see summary.csv."] if more else [])


def _of_latents(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(
        setting=table.bias.map(VERBS) + " " + table.subset,
        target=table.target.replace({"mx": "m_x", "mt": "m_t"}),
        metric="r2",
    )
    return table[table.setting != UNPERTURBED].rename(columns={"r2": "paper"})


def _of_images(table: pd.DataFrame, domain: str, semantics: Sequence[str]) -> pd.DataFrame:
    """Cells of images; those without any bias belong to selection and occur once."""
    table = table[table.dataset == DATASETS[domain]]
    unbiased = (table.bias == "perturbation") & (table.n_unbiased == len(semantics))
    table = table[~unbiased].rename(columns={"value": "paper"})
    chosen = [
        semantics[:count] if bias == "selection" else semantics[count:]
        for bias, count in zip(table.bias, table.n_unbiased, strict=True)
    ]
    settings = [
        f"{VERBS[bias]} {{{', '.join(names)}}}"
        for bias, names in zip(table.bias, chosen, strict=True)
    ]
    probe = table.probe.replace({"linear": "logistic"}) if domain == "mpi3d" else table.probe
    return table.assign(setting=settings, dependence="natural", probe=probe)
