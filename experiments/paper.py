"""Paper: the scores that the paper reports, beside ours."""

from pathlib import Path

import pandas as pd

COLUMNS = ["bias", "subset", "dependence", "modality", "target", "r2", "probe"]
VERBS = {"selection": "select", "perturbation": "perturb"}
NOTHING = "perturb [0]"  # is select [10], where the paper's cells are the same
NOISE = 0.75  # the paper's noise probability
SHOWN = 10  # cells that differ and are told one by one
KEY = ["setting", "dependence", "modality", "target", "probe"]


def read_paper(path: Path) -> pd.DataFrame:
    """The paper's figures 3, 7, 8, 9 from a CSV file, a row a cell: KEY and `paper`.

    Columns of the file: bias ("selection", "perturbation"), subset ("[3]"), dependence, modality
    ("x", "t"), target ("s1", "mx"), r2, probe. Raises ValueError if one is missing.
    """
    table = pd.read_csv(path)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}: it needs {', '.join(COLUMNS)}")
    table["setting"] = table.bias.map(VERBS) + " " + table.subset
    table["target"] = table.target.replace({"mx": "m_x", "mt": "m_t"})
    return table[table.setting != NOTHING].rename(columns={"r2": "paper"})[[*KEY, "paper"]]


def beside(cells: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """The cells with the paper's scores in a column `paper`, not a number where it has none."""
    noise = (cells.perturbable == "") | (cells.noise_probability == NOISE)
    ours = (cells.metric == "r2") & cells.study.isin(VERBS) & noise
    joined = cells[KEY].merge(paper, how="left", on=KEY, validate="m:1").paper.to_numpy()
    return cells.assign(paper=pd.Series(joined, cells.index).where(ours))


def agreement(cells: pd.DataFrame) -> list[str]:
    """Where the paper's cells of independent semantics round to 0 or 1: whether ours do too."""
    sure = cells[(cells.dependence == "independent") & cells.paper.isin([0.0, 1.0])]
    if sure.empty:
        return []
    other = sure[sure["mean"].clip(0, 1).round(1) != sure.paper]
    lines = [
        f"{len(sure) - len(other)} of {len(sure)} independent cells that are 0.0 or 1.0 in the "
        "paper are so here."
    ]
    told = [
        f"{row.setting}, {row.modality}, {row.target} by {row.probe}: {row.ours:.2f} here, "
        f"{row.paper:.1f} in the paper."
        for row in other.rename(columns={"mean": "ours"}).head(SHOWN).itertuples()
    ]
    more = len(other) - len(told)
    return lines + told + ([f"And {more} more: see summary.csv."] if more else [])
