"""Writes the tables, figures and page of a run directory, finished or still running."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import pandas as pd
from rich.console import Console

from experiments.domains import read_domain
from experiments.report.curves import save_scatter, save_sizes, size_panels
from experiments.report.figure_files import PRINT, Style
from experiments.report.figures import save_figures, save_scores
from experiments.report.learning_curves import (
    attainable_columns,
    check_settings,
    save_learning,
    save_settings,
)
from experiments.report.page import save_page
from experiments.report.pair_table import pair_table
from experiments.report.published import add_paper_scores, agreement, read_paper
from experiments.report.tables import (
    add_full_selection,
    aggregate_seeds,
    distance_from_theory,
    flagged_lanes,
    main_probe,
    metric_name,
    size_notes,
    summary,
)
from experiments.report.terminal_tables import WIDTH, Column, frame_columns, table_text
from experiments.rundir import history
from experiments.rundir.checkpoint_files import read_run
from experiments.rundir.csv_tables import with_words
from experiments.rundir.hyperparameters import number_texts
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.rundir.results import read_results, scored_lanes
from lvm.files.atomic import write_atomically


def print_summary(directory: Path, console: Console) -> None:
    """Prints the tables of a run and draws all settings as one figure.

    For a run that is not finished, prints its progress. Raises ValueError if `directory` is not a
    run directory.
    """
    run = read_run(directory)
    _say(console, *_progress_notes(directory, run))
    results = _read(directory, console)
    if results is None:
        return
    cells = aggregate_seeds(results)
    figure = save_scores(cells, directory / "figures", "", main_probe(cells))
    notes = [*flagged_lanes(results), *size_notes(results)]
    _say(console, summary(cells), "", _distances(run, results), *notes, "")
    _say(console, f"figure: {figure}", f"scores: {directory / 'results.csv'}")
    _say(console, f"more figures and a page: misalign report {directory}")


def write_report(
    directory: Path,
    console: Console,
    paper: Path | None = None,
    *,
    curves: Sequence[str] = (),
    style: Style = PRINT,
) -> None:
    """Draws all figures and writes `summary.csv` and `report.html`; prints the tables.

    Of a run without scores it draws the learning curves alone.

    paper:  a CSV file with scores of the paper to show beside the cells.
    curves: settings of which learning curves are drawn, one panel each.
    style:  of the figures.

    Raises ValueError as `print_summary`, `read_paper` and `check_settings` do.
    """
    run = read_run(directory)
    check_settings(curves, history.read(directory))
    notes = _progress_notes(directory, run)
    results = _read(directory, console)
    if results is None:
        learning = _draw_learning(directory, "score", None, curves=curves, style=style)
        _say(console, *notes, *(f"figure: {path}" for path in learning.values()))
        return
    cells = aggregate_seeds(results).assign(paper=float("nan"))
    if paper is not None:
        domain = run["config"].get("domain", "latents")
        semantics = read_domain(directory).semantics
        cells = add_paper_scores(cells, read_paper(paper, domain, semantics))
    summary_text = with_words(cells).to_csv(index=False, float_format="%.6g")
    write_atomically(directory / "summary.csv", summary_text)
    notes = [*notes, *flagged_lanes(results), *size_notes(results), *agreement(cells)]
    distances = _distances(run, results)
    with console.status("drawing figures"):
        figures = _draw(directory, results, cells, curves=curves, style=style)
        save_page(
            directory / "report.html",
            add_full_selection(cells),
            about=_about(directory, run, results),
            notes=notes,
            distance=distances,
            figures=figures,
        )
    paths = (f"figure: {path}" for path in figures.values())
    _say(console, summary(cells), "", distances, "", *pair_table(cells), *notes, *paths)
    _say(console, f"cells: {directory / 'summary.csv'}", f"page: {directory / 'report.html'}")


def _read(directory: Path, console: Console) -> pd.DataFrame | None:
    path = directory / "results.csv"
    if not path.exists():
        return None
    warn = lambda message: _say(console, message)
    results = read_results(path, read_domain(directory).scores_per_lane, warn)
    return None if results.empty else results


def _progress_notes(directory: Path, run: dict[str, Any]) -> list[str]:
    """One line with the number of scored lanes, none if all are scored."""
    lanes = run["lanes"]
    lane_steps = [lane["steps"] for lane in lanes]
    scores_per_lane = read_domain(directory).scores_per_lane
    scored = scored_lanes(directory / "results.csv", scores_per_lane, lane_steps)
    if len(scored) == len(lanes):
        return []
    lane_steps = {
        number: lane["steps"] for number, lane in enumerate(lanes) if number not in scored
    }
    note = history.progress_note(directory, lane_steps)
    return [f"{directory}: {len(scored)} of {len(lanes)} lanes scored{note}"]


def _about(directory: Path, run: dict[str, Any], results: pd.DataFrame) -> str:
    """The name of a run, its lanes, and the packages with which it began."""
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return f"{directory.resolve().name}: {results.lane.nunique()} lanes. Begun with {versions}"


def _distances(run: dict[str, Any], results: pd.DataFrame) -> str:
    """Distance from theory of single lanes, and of means if there are several seeds."""
    estimated = run["config"]["recipe"]["estimate_size"]
    tables = {"over lanes": distance_from_theory(results, estimated)}
    if results.seed.nunique() > 1:
        means = aggregate_seeds(results).rename(columns={"mean": "value"})
        title = f"of means over {results.seed.nunique()} seeds"
        tables[title] = distance_from_theory(means, estimated)
    sizes = "with estimated sizes" if estimated else "with as many dimensions as unbiased semantics"
    return "\n\n".join(
        fill(f"Distance from theory {title} {sizes}", WIDTH)
        + "\n"
        + table_text(_distance_columns(table), keys=table.index.nlevels)
        for title, table in tables.items()
        if len(table)
    )


def _distance_columns(table: pd.DataFrame) -> list[Column]:
    """The columns of a table of distances, with every digit of small hyperparameters."""
    names = [name for name in table.index.names if name in HYPERPARAMETERS]
    table = table.reset_index()
    return frame_columns(table.assign(**{name: number_texts(table[name]) for name in names}))


def _draw(
    directory: Path,
    results: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    curves: Sequence[str],
    style: Style,
) -> dict[str, Path]:
    """Draws all figures; returns the paths by title."""
    folder, metric = directory / "figures", metric_name(cells)
    domain = read_run(directory)["config"].get("domain", "latents")
    figures = save_figures(cells, folder, domain, style)
    path = save_scatter(cells, folder / "scatter.png", style)
    figures["Measured against attainable"] = path
    if panels := size_panels(cells):
        path = save_sizes(panels, folder / "sizes.png", style)
        figures[f"{metric} against the encoding size"] = path
    attainable = attainable_columns(results)
    learning = _draw_learning(directory, metric, attainable, curves=curves, style=style)
    return figures | learning


def _draw_learning(
    directory: Path,
    metric: str,
    attainable: pd.DataFrame | None,
    *,
    curves: Sequence[str],
    style: Style,
) -> dict[str, Path]:
    """Draws the learning curves, if the run has any; returns the paths by title."""
    folder, steps, figures = directory / "figures", history.read(directory), {}
    if steps.loss.notna().any():
        path = save_learning(
            steps, folder / "learning.png", metric, attainable=attainable, style=style
        )
        figures[f"{metric} against steps"] = path
    if curves:
        path = save_settings(steps, folder / "learning_settings.png", metric, curves, style=style)
        figures[f"{metric} against steps, by setting"] = path
    return figures


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)
