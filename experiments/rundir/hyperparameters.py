"""Hyperparameters and worlds that distinguish the lanes of a setting, as columns and in labels."""

import pandas as pd

from experiments.rundir.lane_identity import HYPERPARAMETERS


def differing(rows: pd.DataFrame) -> list[str]:
    """Returns the hyperparameters in which lanes of the same setting differ."""
    names = [name for name in HYPERPARAMETERS if name in rows]
    counts = rows.groupby("setting")[names].nunique(dropna=False)
    return [name for name in names if (counts[name] > 1).any()]


def chosen_worlds(rows: pd.DataFrame) -> list[str]:
    """Returns ["world_seed"] if some lane has another world than that of its seed, else [].

    Rows without the column `seed` are means over seeds, which have `world_seed` only if chosen.
    """
    chosen = "world_seed" in rows and ("seed" not in rows or (rows.seed != rows.world_seed).any())
    return ["world_seed"] * bool(chosen)


def hyperparameter_labels(rows: pd.DataFrame) -> pd.Series:
    """Returns labels such as ", temperature 0.3", empty where lanes of a setting do not differ.

    A world that was chosen is in the label, too: ", world seed 2".
    """
    labels = pd.Series("", rows.index)
    for name in [*chosen_worlds(rows), *differing(rows)]:
        several = rows.groupby("setting")[name].transform("nunique", dropna=False) > 1
        label = f", {name.replace('_', ' ')} " + number_texts(rows[name])
        labels += label.where(several, "")
    return labels


def number_texts(numbers: pd.Series) -> pd.Series:
    """Returns numbers as text, up to six digits of each."""
    return numbers.map("{:g}".format)
