"""Soak: a sweep killed repeatedly at random times gives the same bits as an uninterrupted one.

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
    """Runs a sweep without interruption and, in another directory, killed up to `kills` times.

    Each kill comes at a random time, at most `longest` seconds after a start. Returns the number
    of kills. Raises AssertionError if the tables or the last states of the two runs differ.
    """
    uninterrupted, killed = workdir / "uninterrupted", workdir / "killed"
    with _start(uninterrupted, arguments) as process:
        assert process.wait() == 0
    done_kills = 0
    while not (killed / "results.csv").exists():
        with _start(killed, arguments) as process:
            timeout = random.uniform(0, longest) if done_kills < kills else None
            try:
                assert process.wait(timeout) == 0
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                done_kills += 1
                print(
                    f"kill {done_kills} after {timeout:.1f} s, {_steps(killed)} steps saved",
                    flush=True,
                )
    assert_same(uninterrupted, killed)
    return done_kills


def assert_same(first: Path, second: Path) -> None:
    """Raises AssertionError unless two runs have the same tables and the same last states."""
    for name in ("results.csv", "history.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    newest, others = (newest_by_lane(list_checkpoints(path)) for path in (first, second))
    assert newest.keys() == others.keys()
    for lane, checkpoint in newest.items():
        arrays, other_arrays = lane_arrays(checkpoint, lane), lane_arrays(others[lane], lane)
        assert arrays.keys() == other_arrays.keys()
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, other_arrays[name], name)


def _start(workdir: Path, arguments: tuple[str, ...]) -> subprocess.Popen:
    command = [sys.executable, "-m", "experiments.run", *arguments, f"--workdir={workdir}"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ)


def _steps(workdir: Path) -> int:
    return max((checkpoint.step for checkpoint in list_checkpoints(workdir)), default=0)


def main() -> None:
    """Runs the soak test from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=20.0, help="seconds before a kill")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as workdir:
        start = time.monotonic()
        kills = soak(Path(workdir), QUICKSTART, options.kills, options.longest)
        duration = time.monotonic() - start
    print(f"killed {kills} times, then finished: same bits as uninterrupted ({duration:.0f} s)")


if __name__ == "__main__":
    main()
