"""Report: tables and figures of a run directory, from a finished or a running sweep.

python -m experiments.report runs/quickstart
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from experiments import history
from experiments.figures import save_r2
from experiments.stored import read_run
from experiments.tables import (
    distance_from_theory,
    read_results,
    scored_lanes,
    sick_lanes,
    summary,
)


def report(directory: Path, console: Console) -> None:
    """Prints the tables of a run and draws its figures.

    A run that is not finished says how far it is. Raises ValueError if this is no run directory.
    """
    run = read_run(directory)
    path, count = directory / "results.csv", len(run["lanes"])
    scored = scored_lanes(path)
    if len(scored) < count:
        left = set(range(count)) - set(scored)
        console.print(
            f"{directory}: {len(scored)} of {count} lanes scored"
            + history.how_far(directory, left, run["config"]["recipe"]["steps"]),
            soft_wrap=True,
        )
    if not scored:
        return
    results = read_results(path)
    figure = directory / "figures" / "r2.png"
    save_r2(results, figure)
    distance = distance_from_theory(results).to_string(float_format="%.3f")
    for text in (
        summary(results),
        "\nDistance from theory, over all lanes and both modalities",
        distance,
        *sick_lanes(results),
        f"\nfigure: {figure}\nscores: {path}",
    ):
        console.print(text, highlight=False, soft_wrap=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.report", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    try:
        report(parser.parse_args().directory, Console())
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
