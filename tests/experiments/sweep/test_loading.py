"""Several lanes of a run, stacked; the command that writes them to one file."""

import json

import jax
import numpy as np
import pytest

import mmcl
from experiments.export import main
from experiments.rundir.describe import lane_arrays, newest_checkpoint
from experiments.sweep.loading import encode, load_lane, load_lanes
from tests.runs import run
from tests.small import small_config


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A run whose lanes have two numbers of steps and several checkpoints."""
    directory = tmp_path_factory.mktemp("lanes") / "run"
    run(directory, small_config(seeds=2, steps_by_setting=(("select [1]", 8),)))
    return directory


def rows(tree, index):
    return jax.tree.map(lambda leaf: leaf[index], tree)


@pytest.mark.parametrize(
    ("only", "numbers"),
    [
        ((), (0, 1, 2, 3)),
        ("dependence=dependent", (0, 1)),
        ("seed=1", (1, 3)),
        (["select [1],seed=0", "dependence=dependent,seed=1"], (1, 2)),
    ],
)
def test_lanes_are_chosen_by_any_column_and_equal_single_ones(directory, only, numbers):
    lanes = load_lanes(directory, only)
    assert lanes.numbers == numbers
    assert lanes.steps == tuple({0: 6, 1: 6, 2: 8, 3: 8}[number] for number in numbers)
    for index, number in enumerate(numbers):
        lane = load_lane(directory, number)
        assert lanes.identities[index] == lane.identity
        for field in ("hyper", "bias", "world", "params", "stats"):
            stacked, single = getattr(lanes, field), getattr(lane, field)
            jax.tree.map(np.testing.assert_array_equal, rows(stacked, index), single)


def test_stacked_lanes_encode_under_vmap(directory, key):
    lanes, lane = load_lanes(directory, "seed=0"), load_lane(directory, 2)
    pairs = mmcl.Modalities(*jax.random.normal(key, (2, 5, 5)))
    represent = lambda *of_lane: mmcl.encode(
        *of_lane[:2], pairs, recipe=lanes.recipe, hyper=of_lane[2]
    )
    z = jax.vmap(represent)(lanes.params, lanes.stats, lanes.hyper)
    assert z.x.shape == (2, 5, 3)
    np.testing.assert_allclose(z.x[1], encode(lane, pairs).x, rtol=1e-5, atol=1e-6)


def test_lanes_that_no_condition_chooses_are_refused(directory, tmp_path):
    with pytest.raises(ValueError, match="only holds 'seed=7': allowed is seed 0, 1"):
        load_lanes(directory, "seed=7")
    with pytest.raises(ValueError, match="is not a run directory"):
        load_lanes(tmp_path)


def read_safetensors(path):
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    metadata = header.pop("__metadata__")
    arrays = {}
    for name, entry in header.items():
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        dtype = {"F32": "<f4", "I32": "<i4", "BOOL": "?"}[entry["dtype"]]
        arrays[name] = np.frombuffer(content[begin:end], dtype).reshape(entry["shape"])
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - size
    return metadata["lanes"], arrays


def read_npz(path):
    with np.load(path) as file:
        return str(file["lanes"]), {name: file[name] for name in file.files if name != "lanes"}


@pytest.mark.parametrize(
    ("name", "read"), [("lanes.npz", read_npz), ("lanes.safetensors", read_safetensors)]
)
def test_lanes_are_exported_to_one_file(directory, tmp_path, capsys, name, read):
    main([str(directory), "--only=seed=0", f"--out={tmp_path / name}"])
    assert f"2 lanes: {tmp_path / name}" in capsys.readouterr().out
    lanes, arrays = read(tmp_path / name)
    described = json.loads(lanes)
    assert [(lane["lane"], lane["seed"], lane["step"]) for lane in described] == [
        (0, 0, 6),
        (2, 0, 8),
    ]
    for index, number in enumerate((0, 2)):
        single = lane_arrays(newest_checkpoint(directory, number)[0], number)
        assert single.keys() == arrays.keys()
        for array_name, array in single.items():
            np.testing.assert_array_equal(arrays[array_name][index], array)


def test_all_lanes_are_exported_beside_the_run(directory):
    main([str(directory), "--all"])
    assert len(json.loads(read_npz(directory.with_name("run.npz"))[0])) == 4
    with pytest.raises(SystemExit, match="run.npz exists: choose another name"):
        main([str(directory), "--all"])


@pytest.mark.parametrize("arguments", [[], ["--all", "--only=seed=0"]])
def test_a_run_is_exported_with_all_or_some_lanes(directory, arguments, capsys):
    with pytest.raises(SystemExit):
        main([str(directory), *arguments])
    assert "give --all or --only=CONDITIONS, one of them" in capsys.readouterr().err


def test_other_names_are_refused(directory, tmp_path):
    with pytest.raises(SystemExit, match="allowed is a name that ends in .npz or .safetensors"):
        main([str(directory), "--all", f"--out={tmp_path / 'lanes.pt'}"])
    assert not any(tmp_path.iterdir())
