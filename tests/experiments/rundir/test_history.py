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


def test_rows_tell_loss_and_scores(directory):
    rows = history.read(directory)
    assert list(rows.step) == [2, 2, 4, 4]
    assert list(rows.perturbable) == ["", "s2"] * 2
    np.testing.assert_allclose(rows.loss, 1.5)
    np.testing.assert_allclose(rows[["x_s3", "t_m_t"]], [[0.3, 0.05]] * 4)


def test_a_history_without_perturbation_is_read_without_a_warning(tmp_path):
    history.append(tmp_path, {0: LANES[0]}, 2, advance=advance(), monitor_row=monitor_row)
    assert list(history.read(tmp_path).perturbable) == [""]


def test_a_frozen_lane_has_no_numbers(tmp_path):
    history.append(tmp_path, LANES, 2, advance=advance(np.nan), monitor_row=monitor_row)
    assert history.read(tmp_path).loss.isna().all()


def test_a_torn_line_is_left_out_and_dropped_on_resuming(directory):
    path = directory / "history.csv"
    whole = path.read_text()
    path.write_text(whole + "6,0")
    assert len(history.read(directory)) == 4
    history.drop_after(directory, range(2), 4)
    assert path.read_text() == whole


@pytest.mark.parametrize("left", ["", "step,lan"])
def test_a_file_without_a_header_gets_one_again(tmp_path, left):
    (tmp_path / "history.csv").write_text(left)
    history.drop_after(tmp_path, range(2), 0)
    history.append(tmp_path, LANES, 2, advance=advance(), monitor_row=monitor_row)
    assert list(history.read(tmp_path).step) == [2, 2]


def test_a_full_disk_leaves_no_torn_line(directory, monkeypatch):
    before = (directory / "history.csv").read_text()

    def full(rows, path, **how):
        with path.open("a") as file:
            file.write("6,0,0")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space left"):
        history.append(directory, LANES, 6, advance=advance(), monitor_row=monitor_row)
    assert (directory / "history.csv").read_text() == before


def test_lanes_of_other_blocks_stay_when_some_are_done_again(directory):
    history.drop_after(directory, range(1), 2)
    rows = history.read(directory)
    assert list(zip(rows.step, rows.lane, strict=True)) == [(2, 0), (2, 1), (4, 1)]
