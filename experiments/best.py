"""Best: prints the hyperparameters that trained each setting of a run best.

misalign best runs/search --by=least_kept
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from experiments.domains import read_domain
from experiments.report.tables import (
    SETTING,
    bias_labels,
    law_labels,
    main_probe,
    target_rows,
    with_roles,
)
from experiments.report.terminal_tables import frame_columns, print_table
from experiments.rundir import history
from experiments.rundir.hyperparameters import differing, number_texts
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.rundir.results import read_scores
from experiments.runtime.user_errors import user_errors

SCORES = ("least_kept", "most_leaked", "mean_error", "loss")  # columns; the first is best if high


def best(directory: Path, by: str) -> pd.DataFrame:
    """Returns one row per setting: its best hyperparameters, and their scores, means over seeds.

    Seeds of all worlds count alike. The scores are those of `lane_scores`. A lane that diverged is
    never best.

    by: the score that is compared, a name in SCORES.

    Raises ValueError for a path that is not a run directory or has no scores yet.
    """
    lanes = lane_scores(directory)
    names = differing(lanes)
    groups = lanes.groupby([*SETTING, *names], sort=False, dropna=False)
    means = groups[list(SCORES)].agg(lambda scores: scores.mean(skipna=False))
    means = means.assign(seeds=groups.size(), label=groups.label.first()).reset_index()
    ranked = means.sort_values(by, ascending=by != SCORES[0], kind="stable")
    first = ranked.groupby(SETTING, sort=False, dropna=False).head(1).sort_index()
    return first[["label", *names, "seeds", *SCORES]].reset_index(drop=True)


def lane_scores(directory: Path) -> pd.DataFrame:
    """Returns one row per lane, with its columns, a label and four scores by the main probe.

    least_kept:  lowest score of an unbiased semantic.
    most_leaked: largest excess of any other target over its attainable score.
    mean_error:  mean of |measured - attainable|.
    loss:        the last one in `history.csv`; at different temperatures it is not comparable.
    """
    domain = read_domain(directory)
    results = read_scores(directory, domain.scores_per_lane)
    rows = with_roles(target_rows(results, main_probe(results)))
    forward = rows[rows.role != "reverse"]
    error = (forward.value - forward.attainable).abs()
    of_role = lambda role: rows.role_score.where(rows.role == role).groupby(rows.lane)
    finite = rows.value.notna().groupby(rows.lane).all()
    losses = history.read(directory).groupby("lane").loss.last()
    lanes = rows.drop_duplicates("lane").set_index("lane")
    lanes = lanes.assign(
        least_kept=of_role("kept").min(),
        most_leaked=of_role("leaked").max(),
        mean_error=error.groupby(forward.lane).mean(),
        loss=losses,
    )
    lanes.loc[~finite, list(SCORES)] = np.nan
    laws = law_labels(lanes)
    return lanes.assign(label=bias_labels(lanes) + (", " + laws if laws.nunique() > 1 else ""))


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign best", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    parser.add_argument("--by", choices=SCORES, default=SCORES[0], help="score to compare")
    options = parser.parse_args()
    with user_errors():
        table = best(options.directory, options.by)
        texts = {name: number_texts(table[name]) for name in HYPERPARAMETERS if name in table}
        print_table(Console(), frame_columns(table.assign(**texts)))


if __name__ == "__main__":
    main()
