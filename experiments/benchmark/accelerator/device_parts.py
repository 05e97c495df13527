"""Device parts: all parts by name, the most important first."""

from collections.abc import Callable

from experiments.benchmark.accelerator.device_check import check_device
from experiments.benchmark.accelerator.image_parts import rendering_and_scenes
from experiments.benchmark.accelerator.marked_tests import run_marked_tests
from experiments.benchmark.accelerator.part_task import PartTask
from experiments.benchmark.accelerator.step_ladders import fast_lanes, large_steps
from experiments.benchmark.accelerator.studies_on_device import numerical_section, precision_table

DEVICE_PARTS: dict[str, Callable[[PartTask], None]] = {
    "device": check_device,
    "tests": run_marked_tests,
    "numeric": numerical_section,
    "lanes": fast_lanes,
    "steps": large_steps,
    "precision": precision_table,
    "images": rendering_and_scenes,
}
