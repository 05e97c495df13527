"""Learning curves: monitor scores against training steps, by study or of chosen settings."""

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.report.curves import (
    BIASED,
    LAW_COLOURS,
    OTHER_COLOUR,
    UNBIASED,
    grid,
    kept_names,
    legend,
    name_ends,
    panel_title,
)
from experiments.report.figure_files import GREY, PRINT, Style, save_figure
from experiments.report.figure_text import plain_text
from experiments.report.tables import (
    law_labels,
    main_probe,
    setting_labels,
    study_names,
    target_rows,
)
from experiments.rundir.lane_identity import REVERSE
from experiments.rundir.results import MODALITIES, NOT_SEMANTICS

KEPT, LEAKED = dict(ls="-"), dict(ls="--")
BAND = 0.2  # opacity


def attainable_columns(results: pd.DataFrame) -> pd.DataFrame:
    """Returns attainable scores by the main probe, one row per lane, columns as in `history.csv`.

    `results` are rows of `results.csv`.
    """
    rows = target_rows(results, main_probe(results))
    rows = rows[rows.target != REVERSE]
    rows = rows.assign(column=rows.modality + "_" + rows.target)
    return rows.pivot(index="lane", columns="column", values="attainable")


def save_learning(
    history: pd.DataFrame,
    path: Path,
    metric: str,
    *,
    attainable: pd.DataFrame | None = None,
    style: Style = PRINT,
) -> Path:
    """Draws the lowest kept and the highest leaked monitor score against steps, by study.

    history:    rows of `history.csv`; lanes of a study that differ in length have their own panels.
    attainable: as from `attainable_columns`; without it, leaked scores are those of biased
                semantics, and lanes that it lacks have none.
    """
    panels = learning_panels(history, attainable)
    leaked = "most leaked" if attainable is not None else "highest biased"
    caption = (
        f"{metric} on few pairs during training, by study: lowest score of an unbiased semantic "
        "over settings, semantics and modalities, and largest "
        + ("excess over attainable" if attainable is not None else "score")
        + " of a biased semantic. Lines are means over seeds, bands reach from the lowest to the "
        "highest seed."
    )
    save_figure(partial(_by_study, panels, metric, leaked), path, caption, style)
    return path


def save_settings(
    history: pd.DataFrame,
    path: Path,
    metric: str,
    settings: Sequence[str],
    *,
    style: Style = PRINT,
) -> Path:
    """Draws the monitor scores of every semantic from images against steps, by setting."""
    laws = law_labels(history)
    laws = ", " + laws if laws.nunique() > 1 else ""
    history = history.assign(label=setting_labels(history) + laws)
    chosen = [history[history.setting == setting] for setting in settings]
    panels = [rows for part in chosen for _, rows in part.groupby("label", sort=False)]
    caption = (
        f"{metric} of every semantic from image representations on few pairs during training, one "
        "panel per setting. Lines are means over seeds, bands reach from the lowest to the highest "
        "seed."
    )
    save_figure(partial(_by_setting, panels, metric), path, caption, style)
    return path


def check_settings(settings: Sequence[str], history: pd.DataFrame) -> None:
    """Raises ValueError for a setting of which `history` has no row."""
    known = list(history.setting.unique()) if "setting" in history else []
    for setting in settings:
        if setting not in known:
            raise ValueError(f"curves is {setting!r}: allowed is {', '.join(known) or 'none yet'}")


def learning_panels(
    history: pd.DataFrame, attainable: pd.DataFrame | None = None
) -> dict[str, pd.DataFrame]:
    """Returns the curves of every study: rows by law, seed and step, with `kept` and `leaked`."""
    rows = history[history.loss.notna()]
    rows = rows.assign(study=study_names(rows), law=law_labels(rows), **_extremes(rows, attainable))
    several = rows.groupby("study").steps.transform("nunique") > 1
    titles = rows.study + (", " + rows.steps.map("{:,.0f} steps".format)).where(several, "")
    keys = ["law", "seed", "step"]
    curves = lambda part: part.groupby(keys, sort=False)[["kept", "leaked"]].agg(
        {"kept": "min", "leaked": "max"}
    )
    return {title: curves(part).reset_index() for title, part in rows.groupby(titles, sort=False)}


def _extremes(rows: pd.DataFrame, attainable: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """The lowest score of an unbiased semantic and the highest excess of a biased one, by row."""
    columns = _semantic_columns(rows)
    scores = rows[columns].to_numpy(float)
    expected = np.zeros_like(scores)
    if attainable is not None:
        expected = attainable.reindex(index=rows.lane, columns=columns).to_numpy(float)
    names = [column.split("_", 1)[1] for column in columns]
    biases = rows[["selected", "perturbable"]].drop_duplicates()
    kept = np.zeros(scores.shape, bool)
    for selected, perturbable in biases.itertuples(index=False):
        same = (rows.selected == selected) & (rows.perturbable == perturbable)
        kept[same] = np.isin(names, list(kept_names(rows[same])))
    lowest = np.where(kept, scores, np.inf).min(1, initial=np.inf)
    highest = np.where(kept, -np.inf, scores - expected)
    highest = np.where(np.isnan(highest), -np.inf, highest).max(1, initial=-np.inf)
    finite = lambda values: np.where(np.isfinite(values), values, np.nan)
    return {"kept": finite(lowest), "leaked": finite(highest)}


def _semantic_columns(rows: pd.DataFrame, modalities: Sequence[str] = tuple(MODALITIES)):
    others = {f"{modality}_{target}" for modality in MODALITIES for target in NOT_SEMANTICS}
    starts = tuple(f"{modality}_" for modality in modalities)
    return [name for name in rows if name.startswith(starts) and name not in others]


def _by_study(panels: dict[str, pd.DataFrame], metric: str, leaked: str) -> Figure:
    figure, axes = grid(len(panels), share_steps=False)
    laws = list(dict.fromkeys(law for rows in panels.values() for law in rows.law))
    colours = dict(zip(laws, map(_law_colours(laws).get, laws), strict=True))
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        for law, of_law in rows.groupby("law", sort=False):
            _line(axis, of_law, "kept", color=colours[law], **KEPT)
            _line(axis, of_law, "leaked", color=colours[law], **LEAKED)
        axis.set_title(panel_title(title, 0))
        _scale(axis)
    _label(figure, f"{metric} (monitor)")
    roles = {"lowest kept": KEPT | {"color": GREY}, leaked: LEAKED | {"color": GREY}}
    named = {plain_text(law): {"color": colour} for law, colour in colours.items()}
    by_law = named if len(laws) > 1 else {}
    legend(figure, {**roles, **by_law}, columns=4)
    return figure


def _law_colours(laws: Sequence[str]) -> dict[str, str]:
    others = cycle((OTHER_COLOUR, "#cc79a7", "#e69f00", "#56b4e9", "#000000"))
    return {law: LAW_COLOURS.get(law) or next(others) for law in laws}


def _by_setting(panels: Sequence[pd.DataFrame], metric: str) -> Figure:
    figure, axes = grid(len(panels), share_steps=False)
    for axis, rows in zip(axes, panels, strict=True):
        kept, ends = kept_names(rows), {}
        for column in _semantic_columns(rows, ("x",)):
            target = column.removeprefix("x_")
            mean = _line(axis, rows, column, **(UNBIASED if target in kept else BIASED))
            ends |= {target: mean.iloc[-1]} if len(mean) else {}
        name_ends(axis, {target: min(max(end, 0), 1) for target, end in ends.items()})
        axis.set_title(panel_title(rows.label.iloc[0], len(ends)))
        _scale(axis)
    _label(figure, f"{metric} from images (monitor)")
    legend(figure, {"unbiased semantics": UNBIASED, "biased semantics": BIASED})
    return figure


def _line(axis, rows: pd.DataFrame, column: str, **style) -> pd.Series:
    """Draws the mean over seeds against steps, with a band over seeds; returns the mean."""
    by_step = rows.dropna(subset=column).groupby("step")[column]
    mean, low, high = by_step.mean(), by_step.min(), by_step.max()
    (line,) = axis.plot(mean.index, mean, **style)
    axis.fill_between(mean.index, low, high, color=line.get_color(), alpha=BAND, lw=0)
    return mean


def _scale(axis) -> None:
    axis.set_ylim(-0.05, 1.05)
    axis.set_xlim(left=0)
    axis.locator_params(axis="x", nbins=3)


def _label(figure: Figure, scores: str) -> None:
    figure.supxlabel("training step")
    figure.supylabel(scores)
