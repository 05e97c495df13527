"""Report: writes tables, figures and an HTML page of a finished or a running sweep.

misalign report runs/paper_numeric [--paper=scores_of_the_paper.csv] [--curves="select [3]"]
"""

import argparse
from pathlib import Path

from rich.console import Console

from experiments.report.figure_files import PRINT, SLIDES
from experiments.report.write_report import write_report
from experiments.runtime.user_errors import user_errors


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign report", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    parser.add_argument("--paper", type=Path, help="a CSV file with the paper's scores")
    parser.add_argument(
        "--curves",
        metavar="SETTING",
        action="append",
        default=[],
        help="a setting whose learning curves are drawn, every semantic a line; can be repeated",
    )
    parser.add_argument("--slides", action="store_true", help="figures twice as large, for slides")
    options = parser.parse_args()
    with user_errors():
        write_report(
            options.directory,
            Console(),
            options.paper,
            curves=options.curves,
            style=SLIDES if options.slides else PRINT,
        )


if __name__ == "__main__":
    main()
