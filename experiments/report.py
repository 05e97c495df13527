"""Report: tables and figures of a run directory, from a finished or a running sweep.

python -m experiments.report runs/quickstart
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from experiments import history
from experiments.figures import save_r2
from experiments.rundir import read_config
from experiments.tables import distance_from_theory, read_results, summary


def report(directory: Path, console: Console) -> None:
    """Prints the tables of a run and draws its figures.

    A run that is not finished says how far it is. Raises ValueError if this is no run directory.
    """
    config = read_config(directory)
    if not (directory / "results.csv").exists():
        done, steps = history.steps_done(directory), config["recipe"]["steps"]
        console.print(f"{directory}: {done} of {steps} steps done; scores come at the end")
        return
    results = read_results(directory / "results.csv")
    figure = directory / "figures" / "r2.png"
    save_r2(results, figure)
    distance = distance_from_theory(results).to_string(float_format="%.3f")
    for text in (
        summary(results),
        "\nDistance from theory, over all lanes and both modalities",
        distance,
        f"\nfigure: {figure}\nscores: {directory / 'results.csv'}",
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
