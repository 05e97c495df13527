"""Writes the tables, figures and page of a run directory, finished or still running."""

from pathlib import Path

import pandas as pd
from ml_collections import ConfigDict
from rich.console import Console

from experiments.domains import make_domain
from experiments.report.curves import save_learning, save_scatter, save_sizes, size_panels
from experiments.report.figures import save_figures, save_scores
from experiments.report.page import save_page
from experiments.report.published import agreement, beside, read_paper
from experiments.report.tables import (
    distance_from_theory,
    diverged_lanes,
    main_probe,
    metric_name,
    over_seeds,
    summary,
    with_reference,
)
from experiments.rundir import history
from experiments.rundir.checkpoint_files import read_run, steps_of
from experiments.rundir.results import read_results, scored_lanes
from lvm.files.atomic import write_atomically


def print_end(directory: Path, console: Console) -> None:
    """Prints the tables of a run and draws all settings as one figure: what a run does at its end.

    A run that is not finished says how far it is. Raises ValueError if this is no run directory.
    """
    run = read_run(directory)
    _say(console, *_how_far(directory, run))
    results = _read(directory, run, console)
    if results is None:
        return
    cells = over_seeds(results)
    figure = save_scores(cells, directory / "figures", "", main_probe(cells))
    _say(console, summary(cells), "", _distances(results), *diverged_lanes(results), "")
    _say(console, f"figure: {figure}", f"scores: {directory / 'results.csv'}")
    _say(console, f"more figures and a page: python -m experiments.report {directory}")


def write_report(directory: Path, console: Console, paper: Path | None = None) -> None:
    """Draws all figures and writes `summary.csv` and `report.html`; prints what stands there.

    With the paper's scores in the file `paper`, cells stand beside them. Raises ValueError as
    `print_end` and `read_paper` do.
    """
    run = read_run(directory)
    notes = _how_far(directory, run)
    results = _read(directory, run, console)
    if results is None:
        _say(console, *notes)
        return
    cells = over_seeds(results)
    cells = cells.assign(paper=float("nan"))
    if paper is not None:
        domain = run["config"].get("domain", "latents")
        semantics = make_domain(ConfigDict(run["config"])).semantics
        cells = beside(cells, read_paper(paper, domain, semantics))
    write_atomically(directory / "summary.csv", cells.to_csv(index=False, float_format="%.6g"))
    notes = [*notes, *diverged_lanes(results), *agreement(cells)]
    with console.status("drawing figures"):
        figures = _draw(directory, cells)
        distances = _distances(results)
        about = f"{directory.resolve().name}: {results.lane.nunique()} lanes. {_origin(run)}"
        save_page(
            directory / "report.html", with_reference(cells), about, notes, distances, figures
        )
    _say(
        console,
        summary(cells),
        "",
        distances,
        "",
        *notes,
        *(f"figure: {path}" for path in figures.values()),
    )
    _say(console, f"cells: {directory / 'summary.csv'}", f"page: {directory / 'report.html'}")


def _read(directory: Path, run: dict, console: Console) -> pd.DataFrame | None:
    path, scores = directory / "results.csv", _scores_a_lane(run)
    warn = lambda text: _say(console, text)
    results = read_results(path, scores, warn) if path.exists() else None
    return None if results is None or results.empty else results


def _scores_a_lane(run: dict) -> int:
    return make_domain(ConfigDict(run["config"])).scores


def _how_far(directory: Path, run: dict) -> list[str]:
    """A line on how many lanes are missing, none if all are there."""
    scored = scored_lanes(directory / "results.csv", _scores_a_lane(run))
    count = len(run["lanes"])
    if len(scored) == count:
        return []
    left = set(range(count)) - set(scored)
    lengths = {number: steps_of(run["config"], run["lanes"][number]["setting"]) for number in left}
    return [
        f"{directory}: {len(scored)} of {count} lanes scored" + history.how_far(directory, lengths)
    ]


def _origin(run: dict) -> str:
    """With which libraries a run began."""
    versions = (f"{name} {version}" for name, version in run["versions"].items())
    return "Begun with " + ", ".join(versions)


def _distances(results: pd.DataFrame) -> str:
    """Distance from theory of single lanes, and of means where there are several seeds."""
    tables = {"over lanes": distance_from_theory(results)}
    if results.seed.nunique() > 1:
        means = over_seeds(results).rename(columns={"mean": "value"})
        tables[f"of means over {results.seed.nunique()} seeds"] = distance_from_theory(means)
    return "\n\n".join(
        f"Distance from theory {title} with as many dimensions as unbiased semantics\n"
        + table.to_string(float_format="%.3f")
        for title, table in tables.items()
        if len(table)
    )


def _draw(directory: Path, cells: pd.DataFrame) -> dict[str, Path]:
    """All figures, by title."""
    place = directory / "figures"
    figures, metric = save_figures(cells, place), metric_name(cells)
    figures["Measured against attainable"] = save_scatter(cells, place / "scatter.png")
    if sized := size_panels(cells):
        figures[f"{metric} against the encoding size"] = save_sizes(sized, place / "sizes.png")
    if (directory / "history.csv").exists():
        steps = history.read(directory)
        figures[f"{metric} against steps"] = save_learning(steps, place / "learning.png", metric)
    return figures


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
