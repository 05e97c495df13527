"""The README's Python is run as written."""

import re

from experiments.sweep.plan import make_plan
from tests.lvm.datasets.test_causal3dident_reading import write
from tests.repository import ROOT
from tests.runs import run
from tests.small import small_config

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_example_of_data_on_disk_reads_them(tmp_path):
    write(tmp_path / "scenes", settings=[("selections", 3)])
    names = {}
    exec(BLOCKS[0], names)
    images, hues, ids = names["from_disk"](tmp_path / "scenes")
    assert images.shape == (9, 64, 64, 3)
    assert len(hues) == len(ids) == 9


def test_the_config_example_makes_a_plan():
    names = {}
    exec(BLOCKS[1], names)
    assert len(make_plan(names["get_config"]()).lanes) == 4


def test_the_inspection_example_runs_on_a_run(tmp_path, monkeypatch, capsys):
    run(tmp_path / "runs" / "quickstart", small_config(seeds=2))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(BLOCKS[2], names)
    assert names["z"].x.shape == (1000, 3)
    assert "Lane(seed=1, setting='select [2] perturb {2}'" in capsys.readouterr().out


def test_the_function_examples_run(capsys):
    names = {}
    for block in BLOCKS[3:]:
        exec(block, names)
    assert "LatentScores" in capsys.readouterr().out
