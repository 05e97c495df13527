"""Snapshots of run directories, at every stage of a run."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from experiments.rundir import history
from experiments.rundir.describe import describe_run
from experiments.watch.snapshot import take_snapshot
from tests.experiments.watch.conftest import ODD, ODD_LABEL


def edit_history(directory, **values):
    """Sets values of lane 0 at step 4."""
    path = directory / "history.csv"
    points = pd.read_csv(path, keep_default_na=False)
    points.loc[(points.lane == 0) & (points.step == 4), list(values)] = list(values.values())
    points.to_csv(path, index=False)


def test_a_finished_run_has_scores_and_curves_of_every_setting(finished):
    directory, _ = finished
    snapshot = take_snapshot(directory)
    json.dumps(snapshot, allow_nan=False)
    assert snapshot["state"] == "finished"
    described = describe_run(directory)["lanes"]
    for lane, expected in zip(snapshot["lanes"], described, strict=True):
        assert (lane["step"], lane["is_scored"]) == (expected["step"], True)
        for name in ("loss", "least_kept", "most_leaked"):
            assert lane[name] == pytest.approx(expected[name], abs=1e-4)
    points = history.read(directory)
    (first, second) = snapshot["settings"]
    assert (first["steps"], first["lanes"], second["lanes"]) == ([2, 4, 6], [0], [1])
    assert first["kept"].keys() == {"s1"}
    assert second["kept"].keys() == {"s1"}
    assert second["other"].keys() == {"s2", "s3"}
    assert second["other"]["s2"] == pytest.approx(list(points.x_s2[points.lane == 1]), abs=1e-4)


def test_a_stopped_run_is_said_to_have_stopped(stopped):
    snapshot = take_snapshot(stopped)
    assert snapshot["state"] == "stopped"
    assert [(lane["step"], lane["status"]) for lane in snapshot["lanes"]] == [(4, "stopped")] * 2


def test_a_running_run_has_progress_and_names_as_they_are(running):
    snapshot = take_snapshot(running)
    assert (snapshot["state"], snapshot["name"]) == ("running", running.name)
    assert snapshot["progress"]["lane_steps_per_second"] == 1234.5
    assert 0 < snapshot["progress"]["seconds_left"] <= 600
    assert [lane["status"] for lane in snapshot["lanes"]] == ["training"] * 2
    assert ODD_LABEL in snapshot["lanes"][0]["label"]
    assert snapshot["settings"][0]["kept"].keys() == {ODD}


def test_a_new_point_is_in_the_next_snapshot(running):
    assert take_snapshot(running)["lanes"][0]["step"] == 4
    path = running / "history.csv"
    last = path.read_text().splitlines()[-1]
    with path.open("a") as file:
        file.write("6" + last[1:] + "\n" + "6,0,cut off")
    assert [lane["step"] for lane in take_snapshot(running)["lanes"]] == [4, 6]


@pytest.mark.parametrize(
    ("loss", "status", "reason"),
    [
        (float("nan"), "diverged at step 4 or before", "learning rate too high"),
        (-5.7e6, "suspect: loss ran away at step 4", "temperature too low"),
    ],
)
def test_a_lane_that_fails_is_flagged_before_it_is_scored(running, loss, status, reason):
    edit_history(running, loss=loss)
    lane, healthy = take_snapshot(running)["lanes"]
    assert lane["status"] == status
    assert reason in lane["reason"]
    assert healthy["reason"] == ""


def test_a_run_before_its_first_point_waits(running):
    (running / "history.csv").unlink()
    (running / "progress.json").write_text('{"activity": "compiling"}')
    snapshot = take_snapshot(running)
    assert [lane["status"] for lane in snapshot["lanes"]] == ["waiting"] * 2
    assert [setting["steps"] for setting in snapshot["settings"]] == [[], []]
    assert snapshot["lanes"][0]["loss"] is None


def test_lanes_that_get_more_steps_are_not_scored(finished, stopped):
    (stopped / "results.csv").write_bytes((finished[0] / "results.csv").read_bytes())
    content = json.loads((stopped / "config.json").read_text())
    for lane in content["lanes"]:
        lane["steps"] = 60
    (stopped / "config.json").write_text(json.dumps(content))
    assert not any(lane["is_scored"] for lane in take_snapshot(stopped)["lanes"])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a run directory"):
        take_snapshot(tmp_path)


def test_no_device_is_used(stopped):
    code = (
        "import sys; from pathlib import Path\n"
        "from experiments.watch.snapshot import take_snapshot\n"
        "take_snapshot(Path(sys.argv[1]))\n"
        "from jax._src import xla_bridge; assert not xla_bridge._backends\n"
    )
    subprocess.run([sys.executable, "-c", code, stopped], check=True)
