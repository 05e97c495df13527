import jax
import numpy as np
import pytest

import lvm
from lvm.latents.world_files import load_world, save_world

SPEC = lvm.WorldSpec(semantics=3, image_only=2, text_only=1, mixing_layers=2)


@pytest.fixture
def world(key):
    return jax.device_get(lvm.init_world(key, SPEC, "nonlinear_scm"))


def test_a_world_is_written_and_read(world, tmp_path):
    save_world(tmp_path / "world.npz", world)
    jax.tree.map(np.testing.assert_array_equal, load_world(tmp_path / "world.npz"), world)
    assert [path.name for path in tmp_path.iterdir()] == ["world.npz"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"root_x": np.full((2, 2), np.nan)}, "root_x holds float64: allowed are finite floats"),
        ({"root_x": np.eye(2, dtype=int)}, "root_x holds int64: allowed are finite floats"),
        ({"root_x": np.eye(3)}, r"mixing_x has shape \(2, 5, 5\): allowed is \(2, 6, 6\)"),
        ({"root_noise": np.eye(2)}, r"root_noise has shape \(2, 2\): allowed is \(3, 3\)"),
        ({"mixing_t": np.ones((2, 4, 4))}, "mixing_t has a weight without an inverse"),
    ],
)
def test_arrays_that_are_no_world_are_refused(world, tmp_path, changes, message):
    path = tmp_path / "world.npz"
    with pytest.raises(ValueError, match=f"world.npz: {message}"):
        save_world(path, world._replace(**changes))
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": np.array([1.0, 0.0, 1.0])}, "semantics.scale holds a number that is not above"),
        ({"weights": np.eye(3)}, "semantics.weights has causes in a circle"),
        ({"weights": np.roll(np.eye(3), 1, 0)}, "semantics.weights has causes in a circle"),
        ({"curve": np.zeros(3)}, r"semantics.curve has shape \(3,\): allowed is \(\)"),
    ],
)
def test_laws_of_the_semantics_are_checked(world, tmp_path, changes, message):
    law = world.semantics._replace(**changes)
    with pytest.raises(ValueError, match=message):
        save_world(tmp_path / "world.npz", world._replace(semantics=law))


def test_files_that_are_no_world_are_refused(tmp_path):
    path = tmp_path / "world.npz"
    with pytest.raises(ValueError, match="does not exist: allowed is an npz file"):
        load_world(path)
    path.write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match="is not an npz file or is damaged"):
        load_world(path)
    np.savez(path, root_x=np.eye(2))
    with pytest.raises(ValueError, match="mixing_t is unknown or missing: allowed is a world"):
        load_world(path)
    np.save(tmp_path / "one.npy", np.eye(2))
    with pytest.raises(ValueError, match="is not an npz file or is damaged"):
        load_world(tmp_path / "one.npy")
