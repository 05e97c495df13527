"""Pair table: retrieval, modality gap, alignment and uniformity of every setting, as text."""

from textwrap import fill

import pandas as pd

from experiments.report.tables import setting_labels
from experiments.report.terminal_tables import WIDTH, frame_columns, table_text
from experiments.rundir.older_versions import PAIR_METRICS

# name of a column -> metric, modalities and column of the cells
COLUMNS = {
    "texts": ("recall_at_1", "x", "mean"),
    "images": ("recall_at_1", "t", "mean"),
    "attainable": ("recall_at_1", "x", "attainable"),
    "gap": ("modality_gap", "x", "mean"),
    "alignment": ("alignment", "x", "mean"),
    "uniformity": ("uniformity", "xt", "mean"),
}


def pair_table(cells: pd.DataFrame) -> list[str]:
    """Returns the lines of a table with one line per setting, means over seeds.

    There are none for runs of versions without these scores. `cells` are those of
    `aggregate_seeds`. The uniformity is the mean of both modalities.
    """
    cells = cells[cells.metric.isin(PAIR_METRICS)]
    if cells.empty:
        return []
    cells = cells.assign(setting=setting_labels(cells) + ", " + cells.law)
    table = pd.DataFrame({name: _by_setting(cells, *key) for name, key in COLUMNS.items()})
    sizes = sorted(set(cells["mean"][cells.metric == "gallery_size"].dropna().astype(int)))
    chance = " or ".join(f"{1 / size:.3f} ({size:,} pairs)" for size in sizes)
    title = (
        "Recall at 1 of held-out texts for images and of images for texts, by chance "
        f"{chance}; modality gap, alignment, uniformity"
    )
    return [fill(title, WIDTH), table_text(frame_columns(table.reset_index())), ""]


def _by_setting(cells: pd.DataFrame, metric: str, modalities: str, column: str) -> pd.Series:
    chosen = cells[(cells.metric == metric) & cells.modality.isin(list(modalities))]
    return chosen.groupby("setting", sort=False)[column].mean()
