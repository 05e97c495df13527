"""Failures during a run: disks, memory, checkpoints, diverged lanes."""

import shutil
from contextlib import nullcontext
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pandas as pd
import pytest

import lvm
from experiments import run as run_module
from experiments.configs import default
from experiments.rundir.checkpoint_files import list_checkpoints
from experiments.rundir.results import read_results
from experiments.runtime.signals import Stopped
from experiments.sweep import run_block
from tests.experiments.rundir.test_checkpoints import damage
from tests.runs import assert_same_tables, run
from tests.small import small_config


def test_a_run_with_a_damaged_checkpoint_resumes_from_the_previous_one(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    (directory / "results.csv").unlink()
    newest = list_checkpoints(directory)[0]
    damage(newest)
    text = run(directory, small_config())
    assert f"checkpoint {newest.path} cannot be read" in text.replace("\n", "")
    assert "checkpoints/damaged/lanes_0-1_6" in text.replace("\n", "")
    assert "resuming from checkpoint" in text
    assert "checkpoints/lanes_0-1/4" in text.replace("\n", "")
    assert_same_tables(directory, finished[0])


@pytest.mark.slow
def test_out_of_memory_halves_the_block(tmp_path, monkeypatch):
    run_any_block = run_block.run_block

    def run_single_lane(task):
        if len(task.block.lanes) > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        run_any_block(task)

    monkeypatch.setattr(run_module, "run_block", run_single_lane)
    text = run(tmp_path, small_config())
    assert "2 lanes ran out of memory together: 1 at a time" in text
    assert read_results(tmp_path / "results.csv").lane.unique().tolist() == [0, 1]


@pytest.mark.slow
def test_a_full_disk_skips_checkpoints_except_the_last(finished, tmp_path, monkeypatch):
    """Space is free again after step 4; a run without space for the last checkpoint raises."""
    free = iter([0, 1 << 30])
    usage = lambda path: SimpleNamespace(free=next(free, 0))
    monkeypatch.setattr(run_block.shutil, "disk_usage", usage)
    text = run(tmp_path / "one", small_config())
    assert "no room for the checkpoint of step 4" in text
    assert [checkpoint.step for checkpoint in list_checkpoints(tmp_path / "one")] == [6]
    assert_same_tables(tmp_path / "one", finished[0])
    with pytest.raises(OSError, match="no room for the checkpoint of step 6: .* make room"):
        run(tmp_path / "none", small_config())
    assert not (tmp_path / "none" / "results.csv").exists()


def test_a_full_disk_skips_rows_of_the_history_only(finished, tmp_path, monkeypatch):
    append = run_block.history.append

    def append_or_fail(directory, lanes, step, **scores):
        if step == 4:
            raise OSError(28, "No space left on device")
        append(directory, lanes, step, **scores)

    monkeypatch.setattr(run_block.history, "append", append_or_fail)
    text = run(tmp_path, small_config())
    assert "history.csv has nothing of step 4: No space left on device" in text
    assert (tmp_path / "results.csv").read_bytes() == (finished[0] / "results.csv").read_bytes()


@pytest.mark.slow
def test_a_stop_during_scoring_is_reported(tmp_path, monkeypatch):
    stops = iter([False, False, False, True])  # after each chunk of training, then of scoring
    stopping = lambda: next(stops)
    monkeypatch.setattr(run_module, "stop_requests", lambda: nullcontext(stopping))
    settings = tuple(default.setting(name) for name in ("s1", "s2", "s3"))
    with pytest.raises(Stopped, match="all steps, before the scores of 3 lanes were complete"):
        run(tmp_path, small_config(settings=settings))
    assert not (tmp_path / "results.csv").exists()


def test_a_checkpoint_of_other_versions_is_resumed_with_a_warning(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    (directory / "results.csv").unlink()
    path = list_checkpoints(directory)[0].path / "_CHECKPOINT_METADATA"
    path.write_text(path.read_text().replace(f'"jax": "{jax.__version__}"', '"jax": "0.0"'))
    text = run(directory, small_config())
    assert "it was made with jax 0.0: results may differ by rounding" in text
    assert_same_tables(directory, finished[0])


class FailingCheckpoints:
    """Checkpoints that cannot be saved during training or, with `at_the_end`, at its end."""

    def __init__(self, at_the_end):
        self.at_the_end = at_the_end

    def save_async(self, *args, **kwargs):
        if not self.at_the_end:
            raise OSError("disk gone")

    def close(self):
        if self.at_the_end:
            raise RuntimeError("quota exceeded\nand a long trace")


def test_a_failed_checkpoint_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(run_block, "open_checkpoints", lambda *args: FailingCheckpoints(False))
    text = run(tmp_path, small_config())
    assert "a checkpoint could not be saved, older ones stay: disk gone" in text


def test_a_failed_last_checkpoint_is_an_error_with_a_next_step(tmp_path, monkeypatch):
    monkeypatch.setattr(run_block, "open_checkpoints", lambda *args: FailingCheckpoints(True))
    with pytest.raises(OSError, match="last checkpoint could not be saved: quota exceeded; give"):
        run(tmp_path, small_config())


@pytest.mark.slow
def test_a_diverged_lane_is_reported_and_changes_no_other_lane(tmp_path, monkeypatch):
    """Lanes with noise probability 0.5 get batches that are not finite."""
    sample_pairs = lvm.sample_pairs

    def pairs_with_nan(key, world, bias, count, *, noise_probability, **options):
        options["noise_probability"] = noise_probability
        pairs = sample_pairs(key, world, bias, count, **options)
        is_nan = (noise_probability == 0.5) & (count == small_config().recipe.batch)
        return pairs._replace(x=jnp.where(is_nan, jnp.nan, pairs.x))

    monkeypatch.setattr(lvm, "sample_pairs", pairs_with_nan)
    programs = {}  # of this sampler

    def results(name, probability):
        settings = (default.setting("s1"), default.setting("s1 s2", "s2", dependence="dependent"))
        settings[1].noise_probability = probability
        config = small_config(settings=settings)
        text = run(tmp_path / name, config, report=True, programs=programs)
        return read_results(tmp_path / name / "results.csv"), text

    diverged, text = results("diverged", 0.5)
    healthy, _ = results("healthy", 0.51)
    assert "lane 1 (select [2] perturb {2}, dependent, seed 0) diverged at step 0" in text
    pd.testing.assert_frame_equal(diverged[diverged.lane == 0], healthy[healthy.lane == 0])
    assert set(diverged.status[diverged.lane == 1]) == {"diverged at step 0"}
    assert diverged.value[diverged.lane == 1].isna().all()
    assert healthy.value.notna().all()
