from experiments.domains.latent_rows import score_rows
from experiments.report.pair_table import pair_table
from experiments.report.tables import aggregate_seeds
from experiments.rundir.older_versions import PAIR_METRICS
from experiments.rundir.results import results_table
from experiments.sweep.plan import make_plan
from tests.experiments.rundir.test_results import fake_scores
from tests.small import small_config


def test_the_table_has_one_line_per_setting_and_none_for_older_runs():
    lanes = make_plan(small_config(seeds=2)).lanes
    scores = [fake_scores(0.25 * (lane.seed == 1)) for lane in lanes]
    rows = results_table(dict(enumerate(lanes)), scores, ["ok"] * 4, score_rows)
    title, table, _ = pair_table(aggregate_seeds(rows))
    assert "0.010 (100 pairs)" in title
    pairs, lines = scores[0].pairs, table.splitlines()
    mean = pairs.recall[0, 0] + 0.125  # over seeds
    assert f"{mean:.3f}" in lines[1]
    assert f"{pairs.uniformity.mean() + 0.125:.3f}" in table
    assert sum(line.startswith("select [1], independent") for line in lines) >= 1
    assert sum(line.startswith("select [2] perturb {2}") for line in lines) >= 1
    older = rows[~rows.metric.isin(PAIR_METRICS)]
    assert pair_table(aggregate_seeds(older)) == []
