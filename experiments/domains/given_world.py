"""Given world: a covariance of the semantics, or a whole world, that a config gives as a file.

Its lanes have the dependence "given", or "given_nonlinear" if the mechanisms are not linear. The
config of a run contains a hash of the file, so that another content is refused on resuming.
"""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

import lvm
from lvm.latents.semantics import check_covariance
from lvm.latents.world_files import load_world, read_world

GIVEN, GIVEN_NONLINEAR = "given", "given_nonlinear"  # dependences
FIELDS = ("covariance", "file", "sha256", "law")  # of `config.world`; a run has the latter two


@dataclasses.dataclass(frozen=True)
class GivenWorld:
    """A file with a covariance or a world.

    field:  "covariance" or "file", of `config.world`.
    path:   of the file.
    sha256: of its content.
    law:    the dependence of the lanes, GIVEN or GIVEN_NONLINEAR.
    """

    field: str
    path: str
    sha256: str
    law: str


def given_world(world: ConfigDict) -> GivenWorld | None:
    """Returns the file that `config.world` gives, None if it gives none.

    The config of a run contains hash and law, so that the file is read only where it is used.
    Raises ValueError, with the field, for a file that is missing or holds no valid content.
    """
    field = next((name for name in ("covariance", "file") if world.get(name)), None)
    if field is None:
        return None
    if field == "covariance" and world.get("file"):
        raise ValueError(f"world.file is {world.file!r}: allowed is None with world.covariance")
    path = world[field]
    if not isinstance(path, str):
        raise ValueError(f"world.{field} is {path!r}: allowed is the path of a file")
    if world.get("sha256"):
        return GivenWorld(field, path, world.sha256, world.law)
    content = _read(field, path)
    nonlinear = field == "file" and content["semantics.curve"] != 0
    return GivenWorld(field, path, _hash(field, path), GIVEN_NONLINEAR if nonlinear else GIVEN)


def with_hash(config: ConfigDict) -> ConfigDict:
    """Returns a config with hash and law of the file that it gives; others are unchanged.

    Hash and law of an older content are replaced.
    """
    if not (config.world.get("covariance") or config.world.get("file")):
        return config
    config = config.copy_and_resolve_references()
    config.world.update(sha256=None, law=None)
    given = given_world(config.world)
    config.world.update(sha256=given.sha256, law=given.law)
    return config


def read_given(given: GivenWorld, spec: lvm.WorldSpec) -> lvm.Semantics | lvm.World:
    """Returns the law of the semantics of a covariance, or the world of a file.

    Raises ValueError for another content than that of the run, and for other sizes than `spec` has.
    """
    if _hash(given.field, given.path) != given.sha256:
        raise ValueError(
            f"world.{given.field} is {given.path!r}, whose content has changed since the run began:"
            " allowed is the same content; choose another --workdir for the new one"
        )
    for name, found in _sizes(_read(given.field, given.path)).items():
        if found != getattr(spec, name):
            raise ValueError(
                f"world.{given.field} is {given.path!r}, with {name} {found}: allowed is that of "
                f"the config, world.{name}={getattr(spec, name)}"
            )
    if given.field == "file":
        return load_world(given.path)
    return lvm.gaussian_semantics(_read_npy(given.path))


def empty_given(given: GivenWorld, spec: lvm.WorldSpec) -> lvm.Semantics | lvm.World:
    """Returns zeros of the structure and shapes of `read_given`."""
    n, d_x, d_t = spec.semantics, spec.image_only, spec.text_only
    zeros = lambda *shape: np.zeros(shape, np.float32)
    law = lvm.Semantics(zeros(n, n), zeros(n), zeros())
    if given.field == "covariance":
        return law
    mixing = lambda dim: zeros(spec.mixing_layers, dim, dim)
    roots = zeros(d_x, d_x), zeros(d_t, d_t), zeros(n, n)
    return lvm.World(law, *roots, mixing(n + d_x), mixing(n + d_t))


def _read(field: str, path: str) -> dict[str, np.ndarray]:
    """The arrays of a file, checked without a device."""
    try:
        return read_world(path) if field == "file" else {"cov_s": check_covariance(_read_npy(path))}
    except ValueError as error:
        raise ValueError(f"world.{field} is {path!r}: {error}") from None


def _read_npy(path: str) -> np.ndarray:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"not a readable npy file: {error}") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise ValueError("it does not hold numbers: allowed is an npy file of one matrix")
    return array


def _sizes(arrays: dict[str, np.ndarray]) -> dict[str, int]:
    sizes = {
        "semantics": "semantics.scale",
        "image_only": "root_x",
        "text_only": "root_t",
        "mixing_layers": "mixing_x",
    }
    if "cov_s" in arrays:
        return {"semantics": len(arrays["cov_s"])}
    return {name: len(arrays[array]) for name, array in sizes.items()}


def _hash(field: str, path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ValueError(f"world.{field} is {path!r}: {error.strerror}") from None
