import os
from pathlib import Path

import jax
import numpy as np
import pytest

from experiments.rundir.checkpoint_files import (
    FORMAT,
    UnreadableError,
    array_names,
    list_checkpoints,
    newest_by_lane,
    read_arrays,
    read_metadata,
    read_run,
)
from experiments.rundir.checkpoints import (
    CHECKPOINTS_ON_DISK,
    load_checkpoint,
    open_checkpoints,
    saved_metadata,
    set_aside,
)
from experiments.rundir.claim import make_directory

LANES = range(4, 7)
METADATA = {"format": FORMAT, "commit": "abc"}


@pytest.fixture
def state():
    return {
        "weights": np.arange(24, dtype=np.float32).reshape(3, 2, 4),
        "moments": (np.arange(3, dtype=np.int32), ()),
    }


def save(directory, state, steps, metadata=METADATA, lanes=LANES):
    with open_checkpoints(directory, lanes) as checkpoints:
        for step in steps:
            shifted = jax.tree.map(lambda leaf, step=step: leaf + np.ones_like(leaf) * step, state)
            checkpoints.save_async(step, shifted, force=True, custom_metadata=metadata)
    return list_checkpoints(directory)


NAMES = ("select [3]", "lr_0.1_%d", "100%", "x y", "x%20y", "a#b?c", "é*", 'q"uo\\te', "new\nline")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_directory_works_and_no_neighbour_is_read(tmp_path, state, name, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (checkpoint,) = save(tmp_path / name, state, (8,))
    save(tmp_path / "x y z", jax.tree.map(np.zeros_like, state), (8,))
    restored = load_checkpoint(checkpoint, LANES, state)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b + 8), restored, state)


@pytest.mark.parametrize("position", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_bit_is_detected(tmp_path, state, position):
    with open_checkpoints(tmp_path, LANES) as checkpoints:
        metadata = saved_metadata(METADATA, state)
        checkpoints.save_async(2, state, force=True, custom_metadata=metadata)
    (checkpoint,) = list_checkpoints(tmp_path)
    for path in checkpoint.path.rglob("d/*"):
        content = bytearray(path.read_bytes())
        content[int(position * len(content))] ^= 4
        path.write_bytes(content)
    with pytest.raises(UnreadableError, match="cannot be read"):
        load_checkpoint(checkpoint, LANES, state)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can open every file")
def test_a_checkpoint_that_cannot_be_opened_is_not_called_damaged(tmp_path, state):
    (checkpoint,) = save(tmp_path, state, (2,))
    for path in checkpoint.path.rglob("d/*"):
        path.chmod(0)
    with pytest.raises(ValueError, match="cannot be opened, nothing was changed") as error:
        load_checkpoint(checkpoint, LANES, state)
    assert not isinstance(error.value, UnreadableError)


def damage(checkpoint):
    """Cuts the files that hold the arrays of a checkpoint in half."""
    for path in checkpoint.path.rglob("d/*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def bytes_read():
    """Returns the number of bytes this process has read from files so far (Linux)."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_directory_without_checkpoints_has_an_empty_list(tmp_path):
    assert list_checkpoints(tmp_path) == []


def test_the_newest_is_restored_bit_for_bit_and_old_ones_are_deleted(tmp_path, state):
    found = save(tmp_path, state, (2, 4, 6, 8))
    assert [checkpoint.step for checkpoint in found] == [8, 6]
    assert len(found) == CHECKPOINTS_ON_DISK
    restored = load_checkpoint(found[0], LANES, state)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b + 8), restored, state)


def test_some_lanes_are_restored_alone(tmp_path, state):
    (checkpoint,) = save(tmp_path, state, (8,))
    restored = load_checkpoint(checkpoint, [5], state)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b[1:2] + 8), restored, state)


def test_one_lane_is_read_without_most_of_the_file(tmp_path):
    big = {"weights": np.random.default_rng(0).random((64, 512, 512), np.float32)}
    (checkpoint,) = save(tmp_path, big, (1,), lanes=range(64))
    assert sum(path.stat().st_size for path in checkpoint.path.rglob("d/*")) > 50e6
    before = bytes_read()
    array = read_arrays(checkpoint, [("weights",)], [17])[0][0]
    assert bytes_read() - before < 5e6
    np.testing.assert_array_equal(array, big["weights"][17] + 1)


def test_names_of_arrays_are_paths_and_empty_nodes_have_none(tmp_path, state):
    (checkpoint,) = save(tmp_path, state, (8,))
    assert sorted(array_names(checkpoint)) == [("moments", "0"), ("weights",)]


def test_the_origin_of_a_checkpoint_is_read_back(tmp_path, state):
    assert read_metadata(save(tmp_path, state, (8,))[0]) == METADATA


def test_a_damaged_checkpoint_is_refused_and_set_aside_for_the_previous_one(tmp_path, state):
    newest, older = save(tmp_path, state, (6, 8))
    damage(newest)
    with pytest.raises(UnreadableError, match=f"checkpoint {newest.path} cannot be read"):
        load_checkpoint(newest, LANES, state)
    aside = set_aside(newest)
    assert aside.exists()
    assert list_checkpoints(tmp_path) == [older]
    load_checkpoint(older, LANES, state)
    assert [checkpoint.step for checkpoint in save(tmp_path, state, (8,))] == [8, 6]


@pytest.mark.parametrize(
    "name", ["_CHECKPOINT_METADATA", "state/_METADATA", "state/manifest.ocdbt"]
)
def test_a_checkpoint_with_a_missing_file_is_unreadable(tmp_path, state, name):
    (checkpoint,) = save(tmp_path, state, (8,))
    (checkpoint.path / name).unlink()
    with pytest.raises(UnreadableError, match="cannot be read"):
        load_checkpoint(checkpoint, LANES, state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": np.zeros((3, 2, 5), np.float32)}, r"float32\(2, 4\), not float32\(2, 5\)"),
        ({"more": np.zeros(3, np.float32)}, "more is not in both"),
    ],
)
def test_another_version_is_refused_but_not_as_unreadable(tmp_path, state, change, message):
    (checkpoint,) = save(tmp_path, state, (8,))
    with pytest.raises(ValueError, match=f"of another version: .*{message}") as error:
        load_checkpoint(checkpoint, LANES, {**state, **change})
    assert not isinstance(error.value, UnreadableError)


def test_a_newer_format_is_refused(tmp_path, state):
    (checkpoint,) = save(tmp_path, state, (8,), {**METADATA, "format": FORMAT + 1})
    with pytest.raises(ValueError, match="of a newer version"):
        load_checkpoint(checkpoint, LANES, state)


def test_a_partially_written_checkpoint_is_ignored_and_deleted(tmp_path, state):
    save(tmp_path, state, (8,))
    folder = tmp_path / "checkpoints" / "lanes_4-6"
    (folder / "9.orbax-checkpoint-tmp-1").mkdir()
    (folder / "9.orbax-checkpoint-tmp-1" / "state").write_text("half")
    assert [checkpoint.step for checkpoint in list_checkpoints(tmp_path)] == [8]
    assert [checkpoint.step for checkpoint in save(tmp_path, state, (9,))] == [9, 8]
    assert not (folder / "9.orbax-checkpoint-tmp-1").exists()


@pytest.mark.parametrize("name", ["lock", "checkpoints", "results.csv", "figures"])
def test_a_run_with_a_link_out_of_its_directory_is_refused(tmp_path, name):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    run.mkdir()
    elsewhere.write_text("precious")
    (run / name).symlink_to(elsewhere)
    for use in (read_run, make_directory):
        with pytest.raises(ValueError, match=f"{name} leads out of the run directory"):
            use(run)
    assert elsewhere.read_text() == "precious"


def test_checkpoints_behind_a_link_out_of_the_run_are_refused(tmp_path, state):
    run, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    save(elsewhere, state, (8,))
    run.mkdir()
    (run / "checkpoints").symlink_to(elsewhere / "checkpoints")
    with pytest.raises(ValueError, match="leads out of the run directory"):
        list_checkpoints(run)


def test_the_newest_checkpoint_of_each_lane_is_chosen(tmp_path, state):
    save(tmp_path, state, (8,))
    first = {"weights": state["weights"][:1]}
    save(tmp_path, first, (10,), lanes=range(4, 5))
    newest = newest_by_lane(list_checkpoints(tmp_path))
    assert {lane: checkpoint.step for lane, checkpoint in newest.items()} == {4: 10, 5: 8, 6: 8}
