"""Figures: what people look at."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.tables import brief, mean_over_seeds

TITLES = {"image": "image, measured", "text": "text, measured", "attainable": "attainable"}
LABELS = {"m_x": "$m_x$", "m_t": "$m_t$", "rep": "rep"}
CELL = 0.36  # inches


def save_r2(results: pd.DataFrame, path: Path, probe: str = "mlp") -> None:
    """The heat map of paper figure 3, measured beside attainable: settings by targets.

    One row of panels a dependence; R² clipped to [0, 1], mean over seeds.
    """
    scores = mean_over_seeds(results, probe)
    dependences = scores.index.unique("dependence")
    heights = [len(scores.loc[name].xs("image", level="what")) for name in dependences]
    width = CELL * len(scores.columns)
    figure = Figure(
        figsize=(3 * width + 3.2, CELL * sum(heights) + 1.1 * len(heights) + 0.4),
        layout="constrained",
    )
    panels = figure.subplots(
        len(dependences), len(TITLES), squeeze=False, sharex=True, height_ratios=heights
    )
    for row, dependence in zip(panels, dependences, strict=True):
        for panel, what in zip(row, TITLES, strict=True):
            cells = scores.loc[dependence].xs(what, level="what")
            image = _heat_map(panel, cells, show_settings=panel is row[0])
            panel.set_title(f"{dependence} semantics: {TITLES[what]}", fontsize=9)
    figure.colorbar(image, ax=panels, label=f"R² ({probe} probe)", fraction=0.02, pad=0.01)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)


def _heat_map(panel, cells: pd.DataFrame, show_settings: bool):
    values = np.clip(cells.to_numpy(), 0, 1)
    image = panel.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if value < 0.6 else "black"
        panel.text(column, row, brief(value), ha="center", va="center", fontsize=7, color=ink)
    panel.set_xticks(
        range(cells.shape[1]), [LABELS.get(t, f"${t[0]}_{{{t[1:]}}}$") for t in cells.columns]
    )
    names = _setting_labels(cells.index) if show_settings else []
    panel.set_yticks(range(len(names)), names)
    panel.tick_params(length=0, labelsize=8)
    return image


def _setting_labels(index: pd.MultiIndex) -> list[str]:
    """The settings, with size and noise probability where the name alone would not tell."""
    rows = index.to_frame(index=False)
    if not rows.setting.duplicated().any():
        return list(rows.setting)
    return [
        f"{row.setting}, size {row.encoding_size}, p {row.noise_probability}"
        for row in rows.itertuples()
    ]
