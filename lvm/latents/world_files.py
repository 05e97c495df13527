"""World files: a world of one's own or a drawn one, as an npz file."""

import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lvm.files.atomic import atomic_path
from lvm.latents.semantics import Semantics
from lvm.latents.world import World

LARGEST_CONDITION = 1e6  # of a weight of the mixing, beyond which float32 cannot invert it


def save_world(path: Path | str, world: World) -> None:
    """Writes a world to an npz file, one array for each field: "semantics.weights", "root_x", ...

    Raises ValueError if it is not a world that `load_world` reads, OSError if it cannot be written.
    """
    arrays = _arrays(world)
    _check(str(path), arrays)
    with atomic_path(Path(path)) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def load_world(path: Path | str) -> World:
    """Returns the world in an npz file; all arrays are float32.

    Raises ValueError, with the file and the array, for a file that is missing or damaged, an array
    that is missing, not finite or of another shape, causes in a circle, and mixing weights that
    have no inverse.
    """
    arrays = {name: jnp.asarray(array) for name, array in read_world(path).items()}
    law = Semantics(**{name: arrays[f"semantics.{name}"] for name in Semantics._fields})
    return World(law, **{name: arrays[name] for name in World._fields if name != "semantics"})


def read_world(path: Path | str) -> dict[str, np.ndarray]:
    """Returns the arrays of a world file by name, float32, without a device.

    Raises ValueError as `load_world` does.
    """
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist: allowed is an npz file") from None
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an npz file or is damaged: {error}") from None
    _check(str(path), arrays)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _arrays(world: World) -> dict[str, np.ndarray]:
    law = {f"semantics.{name}": leaf for name, leaf in world.semantics._asdict().items()}
    rest = {name: leaf for name, leaf in world._asdict().items() if name != "semantics"}
    return {name: np.asarray(leaf) for name, leaf in {**law, **rest}.items()}


def _check(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Raises ValueError unless the arrays are those of a world."""
    names = [f"semantics.{name}" for name in Semantics._fields]
    names += [name for name in World._fields if name != "semantics"]
    if differing := sorted(set(names) ^ arrays.keys()):
        raise ValueError(f"{path}: {differing[0]} is unknown or missing: allowed is a world, as "
                         "`save_world` writes it")  # fmt: skip
    for name, array in arrays.items():
        if not np.issubdtype(array.dtype, np.floating) or not np.isfinite(array).all():
            raise ValueError(f"{path}: {name} holds {array.dtype}: allowed are finite floats")
    for name, shape in _shapes(arrays).items():
        if arrays[name].shape != shape:
            raise ValueError(f"{path}: {name} has shape {arrays[name].shape}: allowed is {shape}")
    if not (arrays["semantics.scale"] > 0).all():
        raise ValueError(f"{path}: semantics.scale holds a number that is not above 0")
    causes = arrays["semantics.weights"] != 0
    if np.linalg.matrix_power(causes.astype(float), len(causes)).any():
        raise ValueError(f"{path}: semantics.weights has causes in a circle: allowed is a DAG")
    for name in ("mixing_x", "mixing_t"):
        if (np.linalg.cond(arrays[name].astype(np.float64)) > LARGEST_CONDITION).any():
            raise ValueError(f"{path}: {name} has a weight without an inverse")


def _shapes(arrays: dict[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """The shapes of a world, from the sizes of three of its arrays."""
    n, d_x, d_t = (len(np.atleast_1d(arrays[f])) for f in ("semantics.scale", "root_x", "root_t"))
    layers = max(1, len(np.atleast_1d(arrays["mixing_x"])))
    return {
        "semantics.scale": (n,),
        "semantics.weights": (n, n),
        "semantics.curve": (),
        "root_x": (d_x, d_x),
        "root_t": (d_t, d_t),
        "root_noise": (n, n),
        "mixing_x": (layers, n + d_x, n + d_x),
        "mixing_t": (layers, n + d_t, n + d_t),
    }
