"""Descriptions of a run directory and of a lane, and a loaded lane; the run is a few steps long."""

import json
import shutil
import subprocess
import sys

import jax
import numpy as np
import pandas as pd
import pytest

import lvm
import mmcl
from experiments.rundir.checkpoint_files import FORMAT, list_checkpoints
from experiments.rundir.describe import (
    describe_lane,
    describe_run,
    export_lane,
    lane_arrays,
    lane_differences,
)
from experiments.sweep.loading import encode, load_lane
from tests.repository import ROOT
from tests.runs import run
from tests.small import small_config


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    run(path, small_config())
    return path


def test_a_run_is_described_by_its_lanes_with_step_loss_status_and_scores(directory):
    found = describe_run(directory)
    assert found["lanes"][0]["steps"] == 6
    assert found["format"] == FORMAT
    assert [lane["lane"] for lane in found["lanes"]] == [0, 1]
    for lane in found["lanes"]:
        assert lane["step"] == 6
        assert lane["status"] in ("scored", "suspect")
        assert np.isfinite([lane["loss"], lane["least_kept"], lane["most_leaked"]]).all()
    names = [array["name"] for array in found["arrays"]]
    assert "train.params.x.Dense_0.kernel" in names


def test_scores_come_from_any_probe_and_nan_stays_nan(directory, tmp_path):
    shutil.copytree(directory, tmp_path / "run")
    path = tmp_path / "run" / "results.csv"
    results = pd.read_csv(path, keep_default_na=False).replace({"probe": {"linear": "kernel"}})
    results["value"] = results.value.where(results.lane == 0)
    results.to_csv(path, index=False)
    healthy, diverged = describe_run(tmp_path / "run")["lanes"]
    assert healthy["status"] in ("scored", "suspect")
    assert np.isfinite([healthy["least_kept"], healthy["most_leaked"]]).all()
    assert np.isnan([diverged["least_kept"], diverged["most_leaked"]]).all()


def test_a_partially_written_history_is_read_up_to_its_last_complete_line(directory, tmp_path):
    shutil.copytree(directory, tmp_path / "run")
    with (tmp_path / "run" / "history.csv").open("a") as file:
        file.write("8")
    assert np.isfinite(describe_run(tmp_path / "run")["lanes"][0]["loss"])


def test_the_step_is_that_of_the_history_also_before_the_next_checkpoint(directory, tmp_path):
    shutil.copytree(directory, tmp_path / "run")
    path = tmp_path / "run" / "history.csv"
    last = path.read_text().splitlines()[-1]
    with path.open("a") as file:
        file.write("8" + last[1:] + "\n")
    first, second = describe_run(tmp_path / "run")["lanes"]
    assert (first["step"], first["checkpoint_step"]) == (6, 6)
    assert (second["step"], second["checkpoint_step"]) == (8, 6)


def test_lanes_of_a_run_without_steps_are_waiting(directory, tmp_path):
    (tmp_path / "config.json").write_text((directory / "config.json").read_text())
    for lane in describe_run(tmp_path)["lanes"]:
        assert (lane["step"], lane["status"], lane["loss"]) == (0, "waiting", None)


def test_a_lane_is_described_by_shapes_bytes_and_norms_of_its_arrays(directory):
    found = describe_lane(directory, 1)
    assert found["setting"] == "select [2] perturb {2}"
    (checkpoint,) = (saved for saved in list_checkpoints(directory) if saved.step == 6)
    arrays = lane_arrays(checkpoint, 1)
    for entry in found["arrays"]:
        array = arrays[entry["name"]]
        assert entry["shape"] == list(array.shape)
        assert entry["bytes"] == array.size * array.dtype.itemsize
        np.testing.assert_allclose(entry["norm"], np.sqrt(np.sum(array.astype(float) ** 2)))


def test_an_exported_lane_is_read_without_pickle_and_differs_from_another(directory, tmp_path):
    path = tmp_path / "lane.npz"
    export_lane(directory, 1, path)
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(str(file["identity"]))["lane"] == 1
    assert set(lane_differences(directory, path, 1).values()) == {0.0}
    assert lane_differences(directory, path, 0)["train.params.x.Dense_0.kernel"] > 0
    with pytest.raises(ValueError, match="exists: choose another name"):
        export_lane(directory, 1, path)
    with pytest.raises(ValueError, match="does not end in .npz"):
        export_lane(directory, 1, tmp_path / "lane")


def test_nan_differs_from_numbers_and_a_truncated_file_is_refused(directory, tmp_path):
    arrays = lane_arrays(list_checkpoints(directory)[0], 0)
    name = "train.params.x.Dense_0.bias"
    np.savez(tmp_path / "nan.npz", **arrays | {name: np.full_like(arrays[name], np.nan)})
    found = lane_differences(directory, tmp_path / "nan.npz", 0)
    assert {array for array, value in found.items() if value > 0} == {name}
    (tmp_path / "cut.npz").write_bytes((tmp_path / "nan.npz").read_bytes()[:1000])
    with pytest.raises(ValueError, match="cut.npz cannot be read"):
        lane_differences(directory, tmp_path / "cut.npz", 0)


def test_a_config_of_another_version_is_refused(directory, tmp_path):
    shutil.copytree(directory, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    content = json.loads(path.read_text())
    del content["config"]["recipe"]["refine"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="is of another version: its config has .*refine"):
        load_lane(tmp_path / "run", 0)


def test_a_pickled_file_is_never_loaded(directory, tmp_path):
    path = tmp_path / "evil.npz"
    np.savez(path, weights=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        lane_differences(directory, path, 0)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_lane_out_of_range_is_refused(directory, number):
    for read in (describe_lane, load_lane):
        with pytest.raises(ValueError, match=f"lane is {number}: allowed is 0..1"):
            read(directory, number)


def test_a_directory_without_a_run_or_a_checkpoint_is_refused(directory, tmp_path):
    with pytest.raises(ValueError, match="is not a run directory"):
        describe_run(tmp_path)
    (tmp_path / "config.json").write_text((directory / "config.json").read_text())
    for read in (describe_lane, load_lane):
        with pytest.raises(ValueError, match="lane 0 has no checkpoint yet"):
            read(tmp_path, 0)


def test_a_loaded_lane_encodes_data_of_its_world(directory):
    lane = load_lane(str(directory), 1)
    assert lane.step == 6
    assert lane.identity.setting == "select [2] perturb {2}"
    assert lane.bias.perturbable.tolist() == [False, True, False]
    pairs = lvm.sample_pairs(jax.random.key(0), lane.world, lane.bias, 32)
    z = encode(lane, mmcl.Modalities(pairs.x, pairs.t))
    assert z.x.shape == z.t.shape == (32, 3)
    np.testing.assert_array_equal(z.x[:, 1:], 0)  # one unbiased semantic, one dimension
    assert np.std(z.x[:, 0]) > 0


def inspect(*arguments):
    command = [sys.executable, "-m", "experiments.inspect", *map(str, arguments)]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return process.returncode, process.stdout, process.stderr


def test_the_command_line_shows_a_run_a_lane_and_a_difference(directory):
    status, text, _ = inspect(directory)
    assert status == 0
    assert "select [2] perturb {2}" in text
    assert "train.params.x.Dense_0.kernel" in text
    status, text, _ = inspect(directory, "--lane=1", "--json")
    assert status == 0
    assert json.loads(text)["lane"] == 1
    status, text, _ = inspect(directory, "--lane=0", f"--diff={directory}")
    assert status == 0
    assert "0 of 51 arrays differ" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("/nowhere",), "is not a run directory"),
        (("/nowhere", "--npz=file.npz"), "give --lane too"),
    ],
)
def test_a_bad_command_ends_with_an_error_message(arguments, message):
    status, _, text = inspect(*arguments)
    assert status != 0
    assert message in text
    assert "Traceback" not in text


def test_inspect_does_not_import_jax():
    script = "import experiments.inspect, sys; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=ROOT).returncode == 0
