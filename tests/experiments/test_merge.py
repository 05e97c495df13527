"""Runs of one config with different lanes become one run directory."""

import shutil

import pandas as pd
import pytest

from experiments.configs import default
from experiments.merge import main, merge
from experiments.rundir.claim import claim, read_lanes
from experiments.rundir.describe import describe_run, lane_differences
from experiments.rundir.lock import locked
from experiments.sweep.loading import load_lane
from experiments.sweep.plan import lanes_of
from tests.runs import run
from tests.small import small_config


def claim_run(directory, config):
    directory.mkdir()
    claim(directory, config, lanes_of(config))
    return directory


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """Two runs of one config, each with one seed, as two jobs of an array."""
    directory = tmp_path_factory.mktemp("parts")
    for seed in (0, 1):
        run(directory / f"seed{seed}", small_config(seeds=2, only=(f"seed={seed}",)))
    return [directory / "seed0", directory / "seed1"]


def test_merged_runs_equal_one_run(parts, tmp_path):
    assert merge(parts, tmp_path / "all") == 4
    run(tmp_path / "once", small_config(seeds=2))
    results = [(tmp_path / name / "results.csv").read_bytes() for name in ("all", "once")]
    assert results[0] == results[1]
    by_step = [
        pd.read_csv(tmp_path / name / "history.csv").sort_values(
            ["lane", "step"], ignore_index=True
        )
        for name in ("all", "once")
    ]
    pd.testing.assert_frame_equal(*by_step)
    assert describe_run(tmp_path / "all")["lanes"] == describe_run(tmp_path / "once")["lanes"]
    for number, lane in enumerate(read_lanes(tmp_path / "all")):
        assert load_lane(tmp_path / "all", number).identity == lane
        assert not any(lane_differences(tmp_path / "all", tmp_path / "once", number).values())


def test_a_merged_run_goes_on(parts, tmp_path):
    unfinished = claim_run(tmp_path / "rest", small_config(seeds=3, only=("seed=2",)))
    assert merge([*parts, unfinished], tmp_path / "all") == 6
    text = run(tmp_path / "all", small_config(seeds=3))
    assert "training 100% step 6" in text
    results = pd.read_csv(tmp_path / "all" / "results.csv")
    assert results.lane.unique().tolist() == [0, 1, 2, 3, 4, 5]


def test_what_cannot_be_merged_is_refused_and_nothing_is_written(parts, tmp_path):
    shutil.copytree(parts[0], tmp_path / "copy")
    (tmp_path / "empty").mkdir()
    other = claim_run(tmp_path / "other", small_config(**{"recipe.learning_rate": 0.1}))
    before = set(tmp_path.iterdir())
    for directories, message in (
        ([parts[0], tmp_path / "copy"], r"lane 0 of .*copy \(select .1., seed 0\) is in .*seed0"),
        ([parts[0], other], r"not in recipe.learning_rate \(0.03 and 0.1\)"),
        ([parts[0], tmp_path / "empty"], "empty is not a run directory"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            merge(directories, tmp_path / "all")
        assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="workdir .* exists: choose another --workdir"):
        merge(parts, tmp_path / "empty")
    with locked(parts[0]), pytest.raises(ValueError, match="is being written by process"):
        merge(parts, tmp_path / "all")
    assert set(tmp_path.iterdir()) == before


def test_settings_and_worlds_of_all_configs_are_in_the_merged_one(tmp_path):
    settings = small_config().settings
    configs = {
        "first": small_config(settings=settings[:1]),
        "second": small_config(settings=settings[1:], seeds=2),
        "world": small_config(settings=(default.setting("s3"),), world_seed=7),
    }
    parts = [claim_run(tmp_path / name, config) for name, config in configs.items()]
    merge(parts, tmp_path / "all")
    lanes = read_lanes(tmp_path / "all")
    assert lanes == tuple(lane for config in configs.values() for lane in lanes_of(config))
    assert [lane.world_seed for lane in lanes] == [0, 0, 1, 7]


def test_the_command_line(parts, tmp_path, capsys):
    main([*map(str, parts), f"--workdir={tmp_path / 'all'}"])
    assert f"4 lanes: {tmp_path / 'all'}" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="merge has one run directory: allowed are two or more"):
        main([str(parts[0]), f"--workdir={tmp_path / 'one'}"])
