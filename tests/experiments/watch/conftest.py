"""Run directories to watch: one that was stopped in training, with odd names."""

import json
import os
import shutil
import socket

import pandas as pd
import pytest

ODD = "<script>$x_1$"  # the name of a semantic; names have no spaces
ODD_LABEL = "select {<b>&_%, $y$} 雪 שלום"


@pytest.fixture
def stopped(finished, tmp_path):
    """A copy of a finished run as it was at step 4, with a semantic named ODD."""
    directory = tmp_path / "100% <i>[1]_$z$ 雪"
    shutil.copytree(finished[0], directory, ignore=shutil.ignore_patterns("checkpoints", "figures"))
    (directory / "results.csv").unlink()
    progress = {"activity": "training", "lanes": [0, 1], "step": 4, "steps": 6}
    progress |= {"loss": -1.25, "lane_steps_per_second": 1234.5, "seconds_left": 600.0}
    (directory / "progress.json").write_text(json.dumps(progress))
    path = directory / "history.csv"
    points = pd.read_csv(path, keep_default_na=False)
    renamed = points[points.step <= 4].rename(columns={"x_s1": f"x_{ODD}", "t_s1": f"t_{ODD}"})
    renamed.to_csv(path, index=False)
    content = json.loads((directory / "config.json").read_text())
    for lane in content["lanes"]:
        lane["selected"] = lane["selected"].replace("s1", ODD)
    content["lanes"][0]["setting"] = ODD_LABEL
    (directory / "config.json").write_text(json.dumps(content))
    return directory


@pytest.fixture
def running(stopped):
    """The same while a process of this machine holds it."""
    holder = f"process {os.getpid()} on {socket.gethostname()} since now"
    (stopped / "lock").write_text(holder)
    return stopped
