"""Scores that the studies must reach, lane by lane. Slow: run with  pytest -m slow."""

import pytest

from experiments.configs import quickstart
from experiments.rundir.lane_identity import REVERSE
from experiments.rundir.results import read_results
from tests.runs import run


@pytest.mark.slow
def test_quickstart_meets_theory(tmp_path):
    run(tmp_path, quickstart.get_config())
    scores = read_results(tmp_path / "results.csv")
    scores = scores[(scores.probe == "mlp") & (scores.target != REVERSE)]
    kept = scores.apply(lambda row: row.target in row.selected.split(), axis=1)
    unrelated = ~kept & ((scores.dependence == "independent") | scores.target.str.startswith("m_"))
    assert scores.value[kept].min() >= 0.95
    assert scores.value[unrelated].max() <= 0.05
    assert (scores.value - scores.attainable).abs().max() <= 0.07
