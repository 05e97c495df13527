"""The README's Python is run as written."""

import re
from pathlib import Path

from experiments.plan import make_plan

BLOCKS = re.findall(
    r"```python\n(.*?)```", (Path(__file__).parent.parent / "README.md").read_text(), re.DOTALL
)


def test_the_config_example_makes_a_plan():
    names = {}
    exec(BLOCKS[0], names)
    assert len(make_plan(names["get_config"]()).lanes) == 4


def test_the_function_examples_run(capsys):
    names = {}
    for block in BLOCKS[1:]:
        exec(block, names)
    assert "LatentScores" in capsys.readouterr().out
