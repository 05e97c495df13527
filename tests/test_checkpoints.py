import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.checkpoints import KEPT, open_checkpoints, restore


@pytest.fixture
def state():
    return {"weights": jnp.arange(6.0).reshape(2, 3), "moments": (jnp.ones(2), ())}


def test_nothing_saved_gives_the_start(tmp_path, state):
    with open_checkpoints(tmp_path) as checkpoints:
        step, restored = restore(checkpoints, state)
    assert step == 0
    assert restored is state


def test_the_newest_comes_back_bit_for_bit_and_old_ones_go(tmp_path, state):
    with open_checkpoints(tmp_path) as checkpoints:
        for step in (2, 4, 6, 8):
            checkpoints.save(step, jax.tree.map(lambda leaf, step=step: leaf + step / 3, state))
    assert len(list((tmp_path / "checkpoints").iterdir())) == KEPT
    with open_checkpoints(tmp_path) as checkpoints:
        step, restored = restore(checkpoints, state)
    assert step == 8
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b + 8 / 3), restored, state)
