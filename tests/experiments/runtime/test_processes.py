"""One sweep over two processes of two devices each, against the same sweep in one process."""

import os
import socket
import subprocess
import sys

import pandas as pd
import pytest

from experiments.rundir.results import read_results
from tests.repository import ROOT

COMMAND = (sys.executable, "-m", "experiments.run", "--config=tests/small.py")


def start(workdir, devices, *arguments):
    return subprocess.Popen(
        [*COMMAND, f"--workdir={workdir}", *arguments],
        cwd=ROOT,
        env={**os.environ, "JAX_NUM_CPU_DEVICES": str(devices)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_same_scores(*directories):
    """All scores agree within rounding."""
    both = [read_results(directory / "results.csv") for directory in directories]
    pd.testing.assert_frame_equal(*both, rtol=0, atol=1e-4)


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_two_processes_give_the_results_of_one_and_only_the_first_writes(tmp_path, finished):
    address = f"--coordinator=localhost:{free_port()}"
    both = [
        start(tmp_path / "both", 2, address, "--processes=2", f"--process={process}")
        for process in range(2)
    ]
    texts = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], texts
    assert "training 100%" in texts[0]
    assert "training" not in texts[1]

    alone = finished[0]
    assert_same_scores(tmp_path / "both", alone)
    histories = (pd.read_csv(path / "history.csv") for path in (tmp_path / "both", alone))
    pd.testing.assert_frame_equal(*histories, atol=1e-4)

    (tmp_path / "both" / "results.csv").unlink()
    one_on_four_devices = start(tmp_path / "both", 4)
    text = one_on_four_devices.communicate(timeout=300)[0]
    assert "scoring 100%" in text
    assert "training" not in text  # resumed from the last checkpoint of the two processes
    assert_same_scores(tmp_path / "both", alone)
