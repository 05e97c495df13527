"""Accelerator: measures on a GPU or TPU all that needs one, part by part, with a time limit.

bash experiments/benchmark/accelerator.sh [--parts=device,lanes] [--smoke]
python -m experiments.benchmark.accelerator --out=FOLDER
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from experiments.benchmark.accelerator.device_parts import DEVICE_PARTS
from experiments.benchmark.accelerator.device_sizes import DEVICE, SMOKE, DeviceSizes
from experiments.benchmark.accelerator.device_summary import summary_page
from experiments.benchmark.accelerator.part_process import part_command, run_parts
from experiments.benchmark.accelerator.part_task import PartTask, make_record
from experiments.runtime.checks import require_known
from experiments.runtime.user_errors import user_errors
from lvm.files.atomic import write_atomically

SECONDS = 530.0  # of all parts together
FIRST = "device"  # the part without which no other one is measured
# otherwise the process of a part takes the memory that a run which it starts needs
ENVIRONMENT = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def main(arguments: list[str]) -> None:
    """Runs the command line."""
    options = _parser().parse_args(arguments)
    sizes = SMOKE if options.smoke else DEVICE
    with user_errors():
        if options.part:
            (name,) = require_known("part", [options.part], DEVICE_PARTS)
            run_one(name, sizes, options.out, options.until or time.time() + options.seconds)
        else:
            names = require_known("parts", options.parts.split(","), DEVICE_PARTS)
            failed = run_all(names, options.out, options.seconds, smoke=options.smoke)
            sys.exit(1 if failed else 0)


def run_one(name: str, sizes: DeviceSizes, out: Path, deadline: float) -> None:
    """Runs one part in this process; its table is `out`/NAME.csv.

    deadline: as `time.time` counts.
    """
    DEVICE_PARTS[name](PartTask(sizes, make_record(out / f"{name}.csv"), out, deadline))


def run_all(names: tuple[str, ...], out: Path, seconds: float, *, smoke: bool) -> bool:
    """Runs parts in their own processes and writes `summary.md` after each.

    Returns whether a part has failed. Without an accelerator only the first part runs.
    """
    out.mkdir(parents=True, exist_ok=True)
    limits = (SMOKE if smoke else DEVICE).seconds or {}
    outcomes = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ.update(ENVIRONMENT, JAX_COMPILATION_CACHE_DIR=cache)
        for outcome in run_parts(names, limits, seconds, part_command(out, smoke=smoke)):
            outcomes.append(outcome)
            write_atomically(out / "summary.md", summary_page(out, outcomes))
            print(f"{outcome.name}: {outcome.status}, {outcome.seconds:.1f} s", flush=True)
            if outcome.output:
                print(outcome.output, flush=True)
            if outcome.name == FIRST and outcome.status == "failed":
                break
    print(f"{out}/summary.md")
    return any(outcome.status == "failed" for outcome in outcomes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="accelerator", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/accelerator"), help="output folder")
    parser.add_argument("--parts", default=",".join(DEVICE_PARTS), help="parts to measure")
    parser.add_argument("--part", help="one part, in this process")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="time limit of all parts")
    parser.add_argument("--until", type=float, help="end of the part, in seconds since 1970")
    parser.add_argument("--smoke", action="store_true", help="small sizes, also on a CPU")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
