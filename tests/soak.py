"""Soak: a sweep killed again and again at random moments ends bit for bit like an unbroken one.

python -m tests.soak --kills=20
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from experiments.rundir.checkpoint_files import list_checkpoints, newest_by_lane
from experiments.rundir.describe import lane_arrays
from tests.repository import ROOT

QUICKSTART = (
    "--config=experiments/configs/quickstart.py",
    "--config.recipe.steps=6000",
    "--config.log_every=20",
    "--config.save_every=60",
)


def soak(workdir: Path, arguments: tuple[str, ...], kills: int, longest: float) -> int:
    """Runs a sweep unbroken and, elsewhere, killed up to `kills` times within `longest` seconds.

    Returns how often it was killed; raises AssertionError if what they leave differs.
    """
    unbroken, killed = workdir / "unbroken", workdir / "killed"
    with _start(unbroken, arguments) as process:
        assert process.wait() == 0
    done = 0
    while not (killed / "results.csv").exists():
        with _start(killed, arguments) as process:
            moment = random.uniform(0, longest) if done < kills else None
            try:
                assert process.wait(moment) == 0
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                done += 1
                print(f"kill {done} after {moment:.1f} s, {_steps(killed)} steps saved", flush=True)
    assert_same(unbroken, killed)
    return done


def assert_same(one: Path, other: Path) -> None:
    """Raises AssertionError unless two runs have the same tables and the same last states."""
    for name in ("results.csv", "history.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    newest, others = (newest_by_lane(list_checkpoints(place)) for place in (one, other))
    assert newest.keys() == others.keys()
    for lane, stored in newest.items():
        arrays, other_arrays = lane_arrays(stored, lane), lane_arrays(others[lane], lane)
        assert arrays.keys() == other_arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, other_arrays[name], name)


def _start(workdir: Path, arguments: tuple[str, ...]) -> subprocess.Popen:
    command = [sys.executable, "-m", "experiments.run", *arguments, f"--workdir={workdir}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ)


def _steps(workdir: Path) -> int:
    return max((stored.step for stored in list_checkpoints(workdir)), default=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=20.0, help="seconds before a kill")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as workdir:
        start = time.monotonic()
        kills = soak(Path(workdir), QUICKSTART, options.kills, options.longest)
        took = time.monotonic() - start
    print(f"killed {kills} times, then finished: same bits as unbroken ({took:.0f} s in all)")


if __name__ == "__main__":
    main()
