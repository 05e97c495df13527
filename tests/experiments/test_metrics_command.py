import json
import shutil

import numpy as np
import pandas as pd
import pytest

from experiments import metrics
from experiments.domains import latent_metrics
from experiments.rundir.results import COLUMNS
from experiments.sweep.plan import make_plan
from probes import information
from tests.small import small_config

LANE_COLUMNS = COLUMNS[: COLUMNS.index("modality")]
BOUNDS = [
    f"{bound}{part}" for bound in ("infonce", "nwj") for part in ("", "_ceiling", "_saturated")
]
DCI = ["disentanglement", "completeness", "informativeness"]


@pytest.fixture(scope="module")
def directory(finished, tmp_path_factory):
    """A run whose lanes have two numbers of steps, and so two recipes."""
    path = tmp_path_factory.mktemp("metrics") / "run"
    shutil.copytree(finished[0], path)
    content = json.loads((path / "config.json").read_text())
    content["config"]["steps_by_setting"] = [["select [1]", 4]]
    content["lanes"][0]["steps"] = 4
    content["config"]["recipe"]["refine"] = 0.5
    (path / "config.json").write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def table(directory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latent_metrics, "FIT", 256)
        patch.setattr(latent_metrics, "TEST", 64)
        patch.setattr(information, "STEPS", 10)
        metrics.main([str(directory), "--modality=x"])
    return pd.read_csv(directory / "metrics.csv")


def test_every_lane_has_one_row_per_score(table):
    assert list(table) == [*LANE_COLUMNS, "modality", "target", "metric", "value"]
    assert set(table.modality) == {"x"}
    lanes = make_plan(small_config()).lanes
    first_rows = table.groupby("lane").first()
    assert list(first_rows.setting) == [lane.setting for lane in lanes]
    assert list(first_rows.seed) == [lane.seed for lane in lanes]
    assert not table.duplicated(["lane", "target", "metric"]).any()


def test_every_target_has_the_metrics_that_apply_to_it(table):
    """Only s1 is unbiased: lane 0 selects nothing else, and lane 1 distorts s2."""
    for _, rows in table.groupby("lane"):
        names = rows.groupby("target").metric.agg(list)
        assert names["s1"] == BOUNDS
        for target in ("s2", "s3", "m_x", "m_t"):
            assert names[target] == ["hsic", "hsic_p", *BOUNDS]
        assert names["unbiased"] == DCI


def test_values_are_in_their_range(table):
    value = table.set_index("metric").value
    assert np.isfinite(value).all()
    assert value["hsic_p"].between(1 / 200, 1).all()
    assert value[["disentanglement", "completeness"]].between(0, 1 + 1e-5).all()
    assert value["infonce_saturated"].isin([0, 1]).all()
    np.testing.assert_allclose(value["infonce_ceiling"], np.log(64), rtol=1e-5)


def test_a_directory_without_a_finished_run_is_refused(directory, tmp_path, capsys):
    with pytest.raises(SystemExit, match="is not a run directory"):
        metrics.main([str(tmp_path)])
    unfinished = tmp_path / "unfinished"
    shutil.copytree(directory, unfinished, ignore=shutil.ignore_patterns("lanes_*"))
    with pytest.raises(SystemExit, match="lane 0 of .* has done 0 of 4 steps: let the run end"):
        metrics.main([str(unfinished)])
