"""Device check: the devices that JAX uses, versions of packages, and the device's ceilings."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jax
import pandas as pd

from experiments.benchmark.accelerator.part_task import PartTask
from experiments.benchmark.measurement.ceilings import measure_ceilings
from experiments.benchmark.wheel_list import name_of, requirements

SETUP = Path(__file__).parents[3] / "setup.cfg"
FILE = "device.csv"
PRODUCTS = {  # precision of a recipe -> ceiling
    "float32": "float32 product",
    "tf32": "tf32 product",
    "bfloat16": "bfloat16 product",
}


def check_device(task: PartTask) -> None:
    """Records devices, versions of the required packages and ceilings.

    Raises ValueError if JAX has no accelerator, unless the sizes are small.
    """
    for device in jax.devices():
        limit = (device.memory_stats() or {}).get("bytes_limit", float("nan"))
        about = {"note": device.device_kind, "platform": device.platform}
        task.record(f"device {device.id}", value=limit / 2**20, **about)
    if jax.default_backend() == "cpu" and task.sizes.seconds is not None:
        raise ValueError(
            "jax uses cpu: allowed is gpu or tpu; install jax[cuda13] or jax[tpu], or add --smoke, "
            "which measures small sizes"
        )
    for name, found in package_versions(SETUP).items():
        task.record(f"package {name}", note=found)
    rows, _ = measure_ceilings(task.sizes.benchmark)
    for row in rows:
        task.record(f"ceiling {row['variant']}, {row['lanes']} devices", **row)


def package_versions(setup: Path) -> dict[str, str]:
    """Returns the installed versions of the packages that a setup.cfg requires; "" if missing."""
    return {name: _version(name) for name in map(name_of, requirements(setup))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def read_ceilings(out: Path) -> dict[str, float]:
    """Returns GFLOP/s of matrix products on one device by precision, as far as recorded."""
    if not (out / FILE).exists():
        return {}
    table = pd.read_csv(out / FILE).reindex(columns=["variant", "lanes", "gflops"])
    rates = table[table.lanes == 1].set_index("variant").gflops
    return {precision: rates[name] for precision, name in PRODUCTS.items() if name in rates}
