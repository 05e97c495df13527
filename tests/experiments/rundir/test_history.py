import numpy as np
import pandas as pd
import pytest

from experiments.domains.latent_rows import MonitorScores, monitor_row
from experiments.rundir import history
from experiments.sweep.compiled import Advance
from experiments.sweep.plan import make_plan
from mmcl.training import Metrics
from probes.identifiability import LatentScores
from tests.small import small_config

LANES = dict(enumerate(make_plan(small_config()).lanes))


def advance(loss=1.5):
    scores = LatentScores(np.array([[0.1, 0.2, 0.3]] * 2), np.zeros(2), np.full(2, 0.05))
    return Advance(Metrics(np.full(2, loss), np.ones(2)), MonitorScores(scores, scores))


@pytest.fixture
def directory(tmp_path):
    for step in (2, 4):
        history.append(tmp_path, LANES, step, advance=advance(), monitor_row=monitor_row)
    return tmp_path


def test_rows_have_loss_and_scores(directory):
    rows = history.read(directory)
    assert list(rows.step) == [2, 2, 4, 4]
    assert list(rows.perturbable) == ["", "s2"] * 2
    np.testing.assert_allclose(rows.loss, 1.5)
    np.testing.assert_allclose(rows[["x_s3", "t_m_t"]], [[0.3, 0.05]] * 4)


def test_a_history_without_perturbation_is_read_without_a_warning(tmp_path):
    history.append(tmp_path, {0: LANES[0]}, 2, advance=advance(), monitor_row=monitor_row)
    assert list(history.read(tmp_path).perturbable) == [""]


def test_the_loss_of_a_diverged_lane_is_nan(tmp_path):
    history.append(tmp_path, LANES, 2, advance=advance(np.nan), monitor_row=monitor_row)
    assert history.read(tmp_path).loss.isna().all()


def test_an_incomplete_line_is_ignored_and_deleted_on_resuming(directory):
    path = directory / "history.csv"
    complete = path.read_text()
    path.write_text(complete + "6,0")
    assert len(history.read(directory)) == 4
    history.drop_after(directory, range(2), 4)
    assert path.read_text() == complete


@pytest.mark.parametrize("content", ["", "step,lan"])
def test_a_file_without_a_header_gets_a_new_one(tmp_path, content):
    (tmp_path / "history.csv").write_text(content)
    history.drop_after(tmp_path, range(2), 0)
    history.append(tmp_path, LANES, 2, advance=advance(), monitor_row=monitor_row)
    assert list(history.read(tmp_path).step) == [2, 2]


def test_a_full_disk_leaves_no_incomplete_line(directory, monkeypatch):
    before = (directory / "history.csv").read_text()

    def write_partially(rows, path, **options):
        with path.open("a") as file:
            file.write("6,0,0")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", write_partially)
    with pytest.raises(OSError, match="No space left"):
        history.append(directory, LANES, 6, advance=advance(), monitor_row=monitor_row)
    assert (directory / "history.csv").read_text() == before


def test_rows_of_other_blocks_stay_when_some_lanes_are_repeated(directory):
    history.drop_after(directory, range(1), 2)
    rows = history.read(directory)
    assert list(zip(rows.step, rows.lane, strict=True)) == [(2, 0), (2, 1), (4, 1)]
