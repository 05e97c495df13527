"""The short version of tests/soak.py; the long one is  python -m tests.soak --kills=20 ."""

import pytest

from tests.soak import soak

ARGUMENTS = (
    "--config=tests/small.py",
    "--config.recipe.steps=1500",
    "--config.log_every=5",
    "--config.save_every=50",
)


@pytest.mark.slow
def test_a_killed_sweep_gives_the_same_bits_as_an_uninterrupted_one(tmp_path):
    assert soak(tmp_path, ARGUMENTS, kills=2, longest=7) > 0
