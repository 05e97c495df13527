"""Lane files: arrays of lanes in one file, for other programs: npz or safetensors."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from experiments.rundir.describe import lane_arrays, newest_checkpoint
from lvm.files.atomic import atomic_path

SAFETENSORS = {  # of NumPy types, by their names
    "float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "uint32": "U32", "bool": "BOOL",
}  # fmt: skip


def export_lanes(directory: Path, numbers: Sequence[int], path: Path) -> None:
    """Writes the arrays of lanes to a new `.npz` or `.safetensors`, stacked by name.

    Every array has a leading axis of lanes, in the order of `numbers`. What identifies the lanes,
    and the step of each, is JSON: in an npz file the array `lanes`, in a safetensors file the
    metadata `lanes`.

    Raises ValueError for any other path, a lane without checkpoint, and lanes with other arrays.
    """
    if path.suffix not in WRITERS:
        raise ValueError(f"{path}: allowed is a name that ends in {' or '.join(WRITERS)}")
    if path.exists():
        raise ValueError(f"{path} exists: choose another name")
    lanes, arrays = [], []
    for number in numbers:
        checkpoint, lane = newest_checkpoint(directory, number)
        lanes.append({"lane": number, **lane, "step": checkpoint.step})
        arrays.append(lane_arrays(checkpoint, number))
    stacked = {name: np.stack([of_lane[name] for of_lane in arrays]) for name in arrays[0]}
    with atomic_path(path) as partial:
        WRITERS[path.suffix](partial, json.dumps(lanes), stacked)


def write_npz(path: Path, lanes: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays and a description of their lanes to an npz file."""
    with path.open("wb") as file:
        np.savez(file, lanes=np.array(lanes), **arrays)


def write_safetensors(path: Path, lanes: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays and a description of their lanes in the format safetensors.

    It is the length of a JSON header as a little-endian uint64, the header, and the bytes of the
    arrays (https://huggingface.co/docs/safetensors). Every reader of that format reads it.
    """
    header: dict[str, object] = {"__metadata__": {"lanes": lanes}}
    begin = 0
    for name, array in arrays.items():
        end = begin + array.nbytes
        dtype = SAFETENSORS[array.dtype.name]
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [begin, end]}
        begin = end
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)  # arrays begin at a multiple of 8 bytes
    with path.open("wb") as file:
        file.write(len(encoded).to_bytes(8, "little") + encoded)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())


WRITERS: dict[str, Callable[[Path, str, Mapping[str, np.ndarray]], None]] = {
    ".npz": write_npz,
    ".safetensors": write_safetensors,
}
