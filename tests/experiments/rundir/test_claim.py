import json
import os
from pathlib import Path

import pytest

from experiments.configs import default, mpi3d_small
from experiments.rundir.checkpoint_files import FORMAT
from experiments.rundir.claim import (
    checkpoint_metadata,
    claim,
    claimed,
    make_directory,
    read_config,
    read_lanes,
)
from experiments.sweep.plan import lanes_of, make_plan
from tests.small import small_config


def claim_run(directory, config):
    claim(directory, config, make_plan(config).lanes, lanes_of)


def test_a_new_directory_gets_the_config_lanes_and_versions(tmp_path):
    make_directory(tmp_path / "new" / "run")
    claim_run(tmp_path / "new" / "run", small_config())
    content = json.loads((tmp_path / "new" / "run" / "config.json").read_text())
    assert content["config"]["recipe"]["steps"] == 6
    assert {"jax", "flax", "optax"} <= content["versions"].keys()
    assert [lane["setting"] for lane in content["lanes"]] == [
        "select [1]",
        "select [2] perturb {2}",
    ]


def test_the_same_config_and_harmless_changes_are_accepted(tmp_path):
    claim_run(tmp_path, small_config())
    before = (tmp_path / "config.json").read_bytes()
    claim_run(tmp_path, small_config())
    harmless = small_config(save_every=3, save_minutes=1.0, lanes_per_block=1, devices_per_lane=2)
    claim_run(tmp_path, harmless)
    assert (tmp_path / "config.json").read_bytes() == before


def test_paths_of_the_data_and_of_their_copy_may_change(tmp_path):
    for data, cache in (("here", None), ("there", "fast_disk")):
        config = mpi3d_small.get_config()
        config.world.update(data=data, cache=cache)
        claim_run(tmp_path, config)


def test_another_config_is_refused_with_the_fields_that_differ(tmp_path):
    claim_run(tmp_path, small_config())
    before = (tmp_path / "config.json").read_bytes()
    other = small_config(seeds=2, **{"recipe.learning_rate": 0.1})
    other.settings[0].selected = "s3"
    with pytest.raises(ValueError, match="another config") as error:
        claim_run(tmp_path, other)
    message = str(error.value)
    assert "recipe.learning_rate: 0.03 in the run, 0.1 here" in message
    assert "seeds" not in message  # more of them are no obstacle
    assert "settings[0].selected: 's1' in the run, 's3' here" in message
    assert (tmp_path / "config.json").read_bytes() == before


def test_a_run_is_extended_by_seeds_and_settings_and_its_lanes_keep_their_numbers(tmp_path):
    claim_run(tmp_path, small_config())
    first = read_lanes(tmp_path)
    more = small_config(seeds=2)
    more.settings = (default.setting("s3"), *more.settings)
    claim_run(tmp_path, more)
    lanes = read_lanes(tmp_path)
    assert lanes[:2] == first
    assert set(lanes) == set(make_plan(more).lanes)
    assert len(lanes) == 6
    assert read_config(tmp_path)["seeds"] == 2


def test_a_run_is_extended_by_a_setting_with_its_own_number_of_steps(tmp_path):
    claim_run(tmp_path, small_config())
    more = small_config(steps_by_setting=(("select {3}", 9),))
    more.settings = (*more.settings, default.setting("s3"))
    claim_run(tmp_path, more)
    assert len(read_lanes(tmp_path)) == 3
    more.steps_by_setting = (*more.steps_by_setting, ("select [1]", 9))
    with pytest.raises(
        ValueError, match=r"steps_by_setting\[1\]: 'absent' in the run, \['select \[1\]', 9\]"
    ):
        claim_run(tmp_path, more)


def test_a_run_is_extended_by_other_hyperparameters_and_keeps_those_it_has(tmp_path):
    claim_run(tmp_path, small_config())
    more = small_config()
    more.settings = (*more.settings, default.setting("s1", temperature=0.3))
    claim_run(tmp_path, more)
    assert [lane.temperature for lane in read_lanes(tmp_path)] == [1.0, 1.0, 0.3]
    more.settings = (*more.settings[:2], default.setting("s1", temperature=0.5))
    message = r"settings\[2\].temperature: 0.3 in the run, 0.5 here"
    with pytest.raises(ValueError, match=message):
        claim_run(tmp_path, more)


def test_a_reduced_run_and_an_extension_with_another_recipe_are_refused(tmp_path):
    claim_run(tmp_path, small_config(seeds=2))
    with pytest.raises(ValueError, match="seeds: 2 in the run, 1 here"):
        claim_run(tmp_path, small_config())
    with pytest.raises(ValueError, match="another config") as error:
        claim_run(tmp_path, small_config(seeds=3, **{"recipe.steps": 7}))
    assert "recipe.steps: 6 in the run, 7 here" in str(error.value)
    assert "seeds" not in str(error.value)


def test_checkpoint_metadata_has_the_format_config_dtype_and_versions_of_a_checkpoint():
    metadata = checkpoint_metadata(small_config())
    assert metadata["format"] == FORMAT
    assert metadata["config"]["recipe"]["steps"] == 6
    assert metadata["dtype"] == "float32"
    assert {"versions", "commit"} <= metadata.keys()


def test_a_directory_of_other_files_is_refused_and_left_unchanged(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match="holds no config.json, but thesis.tex"):
        make_directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("below", ["", "run"])
def test_a_workdir_that_is_or_lies_below_a_file_is_refused(tmp_path, below):
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(ValueError, match="a file is where a directory should be"):
        make_directory(path / below)
    assert path.read_text() == "precious"


def test_a_directory_that_cannot_be_created_is_refused():
    with pytest.raises(ValueError, match="workdir /proc/misalign cannot be made"):
        make_directory(Path("/proc/misalign"))


def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.rundir.claim.os.access", lambda *args: False)
    with pytest.raises(ValueError, match="cannot be written: choose another"):
        make_directory(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_second_process_is_refused_while_the_first_holds_the_directory(tmp_path):
    config = small_config()
    lanes = make_plan(config).lanes
    refused = pytest.raises(ValueError, match=f"being written by process {os.getpid()} on")
    with claimed(tmp_path, config, lanes), refused, claimed(tmp_path, config, lanes):
        pass
    with claimed(tmp_path, config, lanes) as again:
        assert again == lanes


def test_other_processes_are_refused_if_the_first_is(tmp_path, monkeypatch):
    monkeypatch.setattr("experiments.rundir.claim.is_first", lambda: False)
    monkeypatch.setattr("experiments.rundir.claim.any_process", lambda flags: [True])
    config = small_config()
    refused = pytest.raises(ValueError, match="the first process has printed the reason")
    with refused, claimed(tmp_path, config, make_plan(config).lanes):
        pass


def test_a_stale_lock_is_reported_and_does_not_block_a_run(tmp_path, capsys):
    config = small_config()
    (tmp_path / "lock").write_text("process 1 on elsewhere since yesterday")
    with claimed(tmp_path, config, make_plan(config).lanes):
        printed = capsys.readouterr().out
    assert "the last run here was interrupted: process 1 on elsewhere since yesterday" in printed
    with claimed(tmp_path, config, make_plan(config).lanes):
        assert capsys.readouterr().out == ""


def test_a_newer_format_is_refused(tmp_path):
    claim_run(tmp_path, small_config())
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}, of a newer version"):
        claim_run(tmp_path, small_config())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_an_unreadable_config_file_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="config.json cannot be read"):
        read_config(tmp_path)
